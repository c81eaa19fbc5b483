import Foundation
import Glibc
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// Scripted workers beside the real cvr-playback: whatever becomes of it, they hear nothing.
@Suite("Supervision: cvr-playback", .timeLimit(.minutes(2)))
struct PlaybackKeepingTests {
    private static let program = "\(Repository.binaries)/cvr-playback"
    private let waiting = IngestToSupervisor.progress(WorkerProgress(state: .reconnecting, loops: 1))

    private func withServingBox(
        listen: String = "127.0.0.1:0", _ body: (inout Session) async throws -> Void
    ) async throws {
        let box = try TemporaryBox()
        // It is looked into by who finds it at its start.
        try SmallFileFixture.write("", box.root + "/cache/here")
        try box.configure("{ front: { url: rtsp://h/a } }", listen: listen)
        try box.say("front", [try ScriptedWorker.hello("front"), waiting])
        try await withSession(box, playback: Self.program) { session in
            _ = try await session.configured("front")
            try await body(&session)
        }
    }

    /// Its state once that is `state`.
    private func playback(_ session: Session, is state: String) async throws -> Admin.Playback {
        try await eventually("playback is \(state)", every: .milliseconds(50)) {
            let found = try #require(await session.supervisor.status().playback)
            return found.state == state ? found : nil
        }
    }

    @Test("it is started, told its cameras, watched, and ended before cvrd ends")
    func life() async throws {
        try await withServingBox { session in
            let found = try await playback(session, is: "running")
            #expect(found.listen?.hasPrefix("127.0.0.1:") == true && found.listen != "127.0.0.1:0")
            #expect(found.sandbox?.hasPrefix("landlock") == true, "\(String(describing: found.sandbox))")
            #expect(found.lastError == nil && found.viewers == 0)
            let pid = pid_t(try #require(found.pid))
            await session.end()
            #expect(kill(pid, 0) != 0 && errno == ESRCH)
            #expect(
                session.supervisor.events.recent.contains { $0.type == "playbackExited" && $0.detail.contains("told") })
        }
    }

    @Test("killed, it is back at once, and no worker was touched")
    func killed() async throws {
        try await withServingBox { session in
            let before = try await playback(session, is: "running")
            let worker = try await session.camera("front").pid
            kill(pid_t(try #require(before.pid)), SIGSEGV)
            let exited = try await session.events.next("playbackExited")
            #expect(exited.detail.contains("crashed (signal 11)"))
            let after = try await eventually("another cvr-playback", every: .milliseconds(50)) {
                let found = await session.supervisor.status().playback
                return found?.state == "running" && found?.pid != before.pid ? found : nil
            }
            #expect(after.pid != nil)
            let front = try await session.camera("front")
            #expect(front.pid == worker && front.restarts == 0)
        }
    }

    @Test("an address that another process has is a fault of playback's alone, and serves once it is free")
    func addressInUse() async throws {
        let (taken, port) = try Self.takePort()
        var isOpen = true
        defer { if isOpen { close(taken) } }
        try await withServingBox(listen: "127.0.0.1:\(port)") { session in
            let exited = try await session.events.next("playbackExited")
            #expect(exited.detail.contains("cannot listen"), "\(exited.detail)")
            let fault = try await eventually("the fault is told", every: .milliseconds(50)) {
                await session.supervisor.status().playback?.lastError
            }
            #expect(fault.code == "cannotListen" && fault.nextStep.contains("playback.listen"))
            #expect(
                Diagnosis.playback(await session.supervisor.status().playback ?? .init(state: "off"))?.verdict
                    == "warning")
            let front = try await session.camera("front")
            #expect(front.state == "reconnecting" && front.restarts == 0 && front.lastError == nil)
            close(taken)
            isOpen = false
            _ = try await session.supervisor.change(.reload)
            let found = try await playback(session, is: "running")
            #expect(found.listen == "127.0.0.1:\(port)")
        }
    }

    @Test("a reload takes it to another address, to none, and back, and leaves it alone when nothing of it changed")
    func reloads() async throws {
        try await withServingBox { session in
            let first = try await playback(session, is: "running")
            try session.box.configure(
                "{ front: { url: rtsp://h/a }, yard: { url: rtsp://h/b } }", listen: "127.0.0.1:0")
            _ = try await session.supervisor.change(.reload)
            #expect(try await playback(session, is: "running").pid == first.pid, "a camera is news, not a restart")
            try session.box.configure("{ front: { url: rtsp://h/a } }", listen: "127.0.0.2:0")
            _ = try await session.supervisor.change(.reload)
            let moved = try await eventually("another address", every: .milliseconds(50)) {
                let found = await session.supervisor.status().playback
                return found?.state == "running" && found?.listen?.hasPrefix("127.0.0.2:") == true ? found : nil
            }
            #expect(moved.pid != first.pid)
            try session.box.configure("{ front: { url: rtsp://h/a } }")
            _ = try await session.supervisor.change(.reload)
            #expect(try await playback(session, is: "off").listen == nil)
            try await eventually("it has ended", every: .milliseconds(50)) {
                kill(pid_t(moved.pid ?? 0), 0) != 0 ? true : nil
            }
        }
    }

    @Test("the next cvrd takes it over; one that is to serve nothing ends what it finds")
    func adoption() async throws {
        try await withServingBox { session in
            let first = try await playback(session, is: "running")
            try await session.begin(playback: Self.program)
            #expect(try await playback(session, is: "running").pid == first.pid)
            #expect(session.supervisor.events.recent.contains { $0.type == "playbackAdopted" })
            try session.box.configure("{ front: { url: rtsp://h/a } }")
            try await session.begin(playback: Self.program)
            try await eventually("it has ended", every: .milliseconds(50)) {
                kill(pid_t(first.pid ?? 0), 0) != 0 ? true : nil
            }
            #expect(await session.supervisor.status().playback?.state == "off")
        }
    }

    @Test("what it needs and cannot be read is refused in words, while it waits for the reload")
    func secrets() async throws {
        try await withServingBox { session in
            let open = try await playback(session, is: "running")
            let text = try String(contentsOfFile: session.box.root + "/cvr.yaml", encoding: .utf8)
            let locked = text.replacing(
                "playback: { listen: 127.0.0.1:0 }",
                with: "playback: { listen: 127.0.0.1:0, accounts: { guard: { credential: guard-password } } }")
            try locked.write(toFile: session.box.root + "/cvr.yaml", atomically: true, encoding: .utf8)
            _ = try await session.supervisor.change(.reload)
            let refused = try await session.events.next("playbackRefused")
            #expect(refused.detail.contains("there is no credential guard-password"))
            // Who was served without a password is served no more.
            try await eventually("it is ended, and the fault stays", every: .milliseconds(50)) {
                let found = await session.supervisor.status().playback
                return found?.pid != open.pid && found?.lastError?.code == "playbackRefused" ? found : nil
            }
            try SmallFileFixture.credential("s3cret-canary\n", "guard-password", session.box)
            _ = try await session.supervisor.change(.reload)
            let served = try await playback(session, is: "running")
            let pid = try #require(served.pid)
            for file in ["cmdline", "environ"] {
                let said = try Data(contentsOf: URL(filePath: "/proc/\(pid)/\(file)"))
                #expect(said.range(of: Data("s3cret-canary".utf8)) == nil, "\(file) (I10)")
            }
        }
    }

    /// A listening socket, and its port.
    private static func takePort() throws -> (Int32, UInt16) {
        // A child of another test would hold on to it.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw -> Bool in
                bind(descriptor, raw, size) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, raw, &size) == 0
            }
        }
        try #require(port)
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }
}
