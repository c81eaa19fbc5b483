import Foundation
import Messages
import TestSupport
import Testing

/// What an operator sees of the sandbox, and what goes on inside it.
@Suite("Sandbox", .showsEvidence, .timeLimit(.minutes(20)))
struct SandboxTests {
    @Test("is whole, takes another url with a host name, another store, and names the call that broke it")
    func whole() async throws {
        try await Machine.shared.place {
            let cameras: [CameraRig.Camera] = [.init("front", clip: "h264-aac"), .init("spare", clip: "h264-video")]
            try await withCameras(cameras, settings: { $0.cameras.removeLast() }) { box, rig in
                try await box.start()
                try await box.untilStored(1, of: "front")
                let status = try await box.status()
                for word in [status.cameras.first?.sandbox, status.sync.sandbox] {
                    #expect(word?.wholeMatch(of: /landlock \d+, seccomp/) != nil, "\(String(describing: word))")
                }
                // A thread that was there before would be outside.
                for program in [try box.sync(), try box.worker(of: "front")] {
                    for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(program.pid)/task") {
                        let facts = try String(
                            contentsOfFile: "/proc/\(program.pid)/task/\(thread)/status", encoding: .utf8)
                        #expect(facts.contains("Seccomp:\t2\n") && facts.contains("NoNewPrivs:\t1\n"), "\(program)")
                    }
                }
                #expect(try await !box.events.lines.contains { $0.contains("sandboxDegraded") })
                var settings = await box.settings
                settings.cameras[0].url = try rig.url("spare").replacing("127.0.0.1", with: "localhost")
                try await otherCamera(box, settings)
                settings.storeFolder = "archive"
                try await otherStore(box, settings)
                try await violation(box)
            }
        }
    }

    private func otherCamera(_ box: Box, _ settings: BoxSettings) async throws {
        let worker = try box.worker(of: "front")
        let session = try await box.status(of: "front").session
        try await reload(box, settings)
        try await eventually("the other camera is recorded") {
            let status = try await box.status(of: "front")
            return status.session > session && status.state == "recording" ? true : nil
        }
        #expect(try box.worker(of: "front") == worker, "it connects anew and does not start anew")
    }

    /// It lies outside of what cvr-sync shut itself into.
    private func otherStore(_ box: Box, _ settings: BoxSettings) async throws {
        let sync = try box.sync().pid
        try await reload(box, settings)
        try await eventually("cvr-sync is started anew") { try box.sync().pid != sync ? true : nil }
        try await box.untilStored(2, of: "front")
        #expect(try FileManager.default.contentsOfDirectory(atPath: box.root + "/archive/test/front").count > 0)
        #expect(try await box.status().sync.sandbox?.hasPrefix("landlock ") == true)
    }

    private func violation(_ box: Box) async throws {
        kill(try box.worker(of: "front").pid, SIGSYS)
        _ = try await box.events.first("the fault") {
            $0.contains("a system call that its sandbox forbids") ? true : nil
        }
        try await eventually("it records again") {
            try await box.status(of: "front").state == "recording" ? true : nil
        }
    }

    private func reload(_ box: Box, _ settings: BoxSettings) async throws {
        try await box.configure(settings)
        #expect(try await box.run(["reload"]).ending == .exited(0))
    }

    @Test("that the kernel lacks is said by status and by an event, and recording goes on")
    func degraded() async throws {
        try await Machine.shared.place {
            try await withCameras(
                [.init("front", clip: "h264-aac")], settings: { $0.environment["CVR_SANDBOX"] = "landlock:0" }
            ) { box, _ in
                try await box.start()
                try await box.untilStored(1, of: "front")
                let status = try await box.status()
                for word in [status.cameras.first?.sandbox, status.sync.sandbox] {
                    #expect(word?.hasPrefix("degraded: no landlock") == true, "\(String(describing: word))")
                }
                let told = try await box.events.lines.filter { $0.contains("\"sandboxDegraded\"") }
                #expect(told.count == 2, "once a process: \(told)")
                let text = try await box.run(["status"]).text
                #expect(text.contains("! sandbox of front, sync incomplete: no landlock"), "\(text)")
                let ending = try await box.stop()
                #expect(ending == .exited(0))
            }
        }
    }
}
