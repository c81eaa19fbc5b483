import Foundation
import Messages
import TestSupport
import Testing

/// What the real processes leave on disk for a cvrd that did not start them.
@Suite("Locks and last words of processes", .showsEvidence, .timeLimit(.minutes(5)))
struct ProcessFileTests {
    private func withFront(_ body: (Box) async throws -> Void) async throws {
        try await Machine.shared.place {
            let rig = try await CameraRig([.init("front", clip: "h264-video")])
            let settings = BoxSettings([.init("front", url: try rig.url("front"))])
            try await withBox(settings) { box in
                try await box.start()
                try await box.until(["front"], are: "recording")
                try await body(box)
            }
            await rig.stop()
        }
    }

    @Test("beside a worker that records no second one starts, in neither slot; a successor only in the other one's")
    func locks() async throws {
        try await withFront { box in
            let worker = try box.worker(of: "front")
            let folders = ["--cache", "\(box.root)/cache/front", "--run", "\(box.root)/log"]
            for options in [["--slot", "a"], ["--slot", "b"], ["--slot", "a", "--role", "successor"]] {
                let arguments = ["--camera", "front"] + options + folders
                let second = try await run("\(Repository.binaries)/cvr-ingest", arguments, within: .seconds(10))
                #expect(second.ending == .exited(73), "\(options): \(second.errors)")
            }
            #expect(try box.worker(of: "front") == worker)
            #expect(try await box.status(of: "front").state == "recording")
        }
    }

    @Test("an adopted worker and an adopted cvr-sync say why they ended, and cvrd reads it")
    func lastWords() async throws {
        try await withFront { box in
            try await box.endSupervisor(SIGUSR2)
            try await box.start()
            try await box.until(["front"], are: "recording")
            for (pid, type, words) in [
                (try box.worker(of: "front").pid, "workerExited", "stopped: stopped"),
                (try box.sync().pid, "syncExited", "stopped"),
            ] {
                kill(pid, SIGTERM)
                let end = try await box.events.first("\(type)") { $0.contains("\"\(type)\"") ? $0 : nil }
                #expect(end.found.contains("(exit code 0)") && end.found.contains("its last words: \(words)"), "\(end)")
            }
        }
    }
}
