import Foundation
import Isolation
import Messages
import Recording
import Supervision
import Testing

/// A worker of another time: what it says and does is pinned as bytes.
private enum OldWorker {
    /// Version 1: says hello unasked, in version 1, and hangs up on a frame of any other.
    ///
    /// It reports as an event what it hears; it holds its slot by a lock file, as a real one does. Told to stop, or by
    /// SIGTERM, it leaves last words and exits.
    static let program = #"""
        #!/usr/bin/python3
        import json, os, signal, socket, sys
        arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
        camera, run = arguments["--camera"], arguments["--run"]
        me = {
            "pid": os.getpid(),
            "startTime": int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19]),
            "bootID": open("/proc/sys/kernel/random/boot_id").read().strip()}

        def write(path, what):
            with open(path + ".new", "w") as file:
                json.dump(what, file)
            os.rename(path + ".new", path)

        def leave(*_):
            if os.path.isdir(run):
                write(run + "/last-words.json", me | {"code": 74, "why": "the disk of " + camera})
            os._exit(74)

        signal.signal(signal.SIGTERM, leave)
        write(arguments["--cache"] + "/lock." + arguments["--slot"], me)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(run + "/worker.sock.new")
        listener.listen()
        os.rename(run + "/worker.sock.new", run + "/worker.sock")

        def text(value):
            return len(value).to_bytes(4, "big") + value

        def converse(connection):
            hello = b"\1\1" + text(camera.encode()) + text(b"a") + (1).to_bytes(8, "big") + text(b"0.1.0")
            connection.sendall(text(hello))
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
                while len(received) >= 4 and len(received) - 4 >= int.from_bytes(received[:4], "big"):
                    length = int.from_bytes(received[:4], "big")
                    content, received = received[4:4 + length], received[4 + length:]
                    if content[0] != 1:
                        return connection.close()
                    heard = b"\1\7" + text(b"heard") + (0).to_bytes(8, "big") + text(content.hex().encode())
                    connection.sendall(text(heard))
                    if content[1] == 2:
                        os._exit(0)

        while True:
            connection, _ = listener.accept()
            try:
                converse(connection)
            except OSError:
                pass  # cvrd looked who is there, or left
        """#
}

@Suite("Supervision: adoption", .timeLimit(.minutes(1)))
struct AdoptionTests {
    private func box(_ cameras: String...) throws -> TemporaryBox {
        let box = try TemporaryBox()
        try box.script("cvr-ingest", OldWorker.program)
        try box.configure("{ \(cameras.map { "\($0): { url: rtsp://h/\($0) }" }.joined(separator: ", ")) }")
        return box
    }

    private func leave(_ session: Session) async {
        await session.supervisor.leave()
        await session.run.value
    }

    @Test("a worker of the version before is configured and stopped in its own words")
    func olderWorker() async throws {
        let box = try box("front")
        var session = try Session(box)
        let heard = try await session.events.next("heard", camera: "front")
        // version 1, configure, no predecessor's end, session 0, the url.
        #expect(
            heard.detail.hasPrefix("0101" + "00" + "0000000000000000" + "0000000e" + "727473703a2f2f682f66726f6e74"))
        let pid = try await session.camera("front").pid
        await leave(session)
        session = try Session(box)
        _ = try await session.events.next("workerAdopted", camera: "front")
        _ = try await session.configured("front")
        #expect(try await session.camera("front").pid == pid)
        await session.end()
        #expect(try await session.events.next("heard", camera: "front").detail.hasPrefix("0102"))
    }

    @Test("a worker that stands still holds up the adoption of no other, and is adopted too")
    func frozen() async throws {
        let box = try box("front", "yard")
        var session = try Session(box)
        for camera in ["front", "yard"] { _ = try await session.configured(camera) }
        let pid = try #require(try await session.camera("front").pid)
        await leave(session)
        kill(pid_t(pid), SIGSTOP)
        // Its queue of connections is full.
        var waiting: [Int32] = []
        for _ in 0..<200 { waiting.append(RawSocket.connect(to: "\(box.root)/run/front/a/worker.sock")) }
        let start = ContinuousClock.now
        session = try Session(box)
        _ = try await session.events.next("workerAdopted", camera: "yard")
        _ = try await session.events.next("workerAdopted", camera: "front")
        #expect(ContinuousClock.now - start < .seconds(1))
        #expect(try await session.camera("front").pid == pid)
        for socket in waiting { close(socket) }
        kill(pid_t(pid), SIGCONT)
        await session.end()
    }

    @Test("an adopted worker's last words say how it ended")
    func lastWords() async throws {
        let box = try box("front")
        var session = try Session(box)
        _ = try await session.configured("front")
        await leave(session)
        session = try Session(box)
        _ = try await session.configured("front")
        kill(pid_t(try #require(try await session.camera("front").pid)), SIGTERM)
        let end = try await session.events.next("workerExited", camera: "front")
        #expect(end.detail.contains("exit code 74") && end.detail.hasSuffix("its last words: the disk of front"))
        _ = try await session.configured("front")
        await session.end()
    }

    @Test("a worker without a run directory is found by its lock, and gets a successor before it ends")
    func wiped() async throws {
        let box = try box("front")
        var session = try Session(box)
        _ = try await session.configured("front")
        let pid = try #require(try await session.camera("front").pid)
        await leave(session)
        try FileManager.default.removeItem(atPath: "\(box.root)/run")
        session = try Session(box)
        _ = try await session.events.next("workerAdopted", camera: "front")
        _ = try await session.events.next("unreachable", camera: "front")
        _ = try await session.events.next("successorStarted", camera: "front")
        #expect(ProcessFacts.startTime(of: Int32(pid)) != nil)
        await session.end()
        #expect(ProcessFacts.startTime(of: Int32(pid)) == nil)
    }

    @Test("a worker whose run directory was wiped and whose camera is gone is ended all the same")
    func wipedStray() async throws {
        let box = try box("front")
        var session = try Session(box)
        _ = try await session.configured("front")
        let pid = try #require(try await session.camera("front").pid)
        await leave(session)
        try FileManager.default.removeItem(atPath: "\(box.root)/run")
        try box.configure("{}")
        session = try Session(box)
        _ = try await session.events.next("workerRemoved", camera: "front")
        await session.end()
        #expect(ProcessFacts.startTime(of: Int32(pid)) == nil)
    }
}

/// A client that connects without waiting, and says nothing.
private enum RawSocket {
    static func connect(to path: String) -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return socket
    }
}
