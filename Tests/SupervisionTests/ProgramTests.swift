import Foundation
import TestSupport
import Testing

/// The real cvrd, on a box without cameras.
@Suite("Supervision: program", .timeLimit(.minutes(1)))
struct ProgramTests {
    @Test("neither cvrd nor cvr-sync leaves a core, and nobody may read cvrd's memory (I10)")
    func noCores() async throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        let cvrd = try ChildProcess("\(Repository.binaries)/cvrd", ["--config", "\(box.root)/cvr.yaml"])
        defer { cvrd.signal(SIGTERM) }
        let sync = try await cvrd.errors.first("cvr-sync's start") { line in
            line.contains("syncStarted") ? line.split(separator: " ").last.flatMap { Int32($0) } : nil
        }
        for pid in [cvrd.pid, sync.found] {
            let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
            let cores = try #require(limits.firstMatch(of: /Max core file size +(\d+) +(\d+)/))
            #expect(cores.output.1 == "0" && cores.output.2 == "0", "\(pid): \(limits)")
        }
        cvrd.signal(SIGTERM)
        #expect(try await cvrd.end() == .exited(0))
    }

    @Test("the lock of cvrd names it: a worker lets in nobody else while it lives")
    func lock() async throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        let cvrd = try ChildProcess("\(Repository.binaries)/cvrd", ["--config", "\(box.root)/cvr.yaml"])
        defer { cvrd.signal(SIGTERM) }
        _ = try await cvrd.errors.first("cvr-sync's start") { $0.contains("syncStarted") ? true : nil }
        let line = try String(contentsOfFile: "\(box.root)/run/cvrd.lock", encoding: .utf8)
        #expect(line.hasPrefix("{\"pid\": \(cvrd.pid),") && line.utf8.count == 512, "\(line)")
        cvrd.signal(SIGTERM)
        #expect(try await cvrd.end() == .exited(0))
    }

    @Test("without its admin socket cvrd starts nothing, and says so")
    func noSocket() async throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        try SmallFileFixture.write("in the way", "\(box.root)/run/admin.sock")
        let done = try await run("\(Repository.binaries)/cvrd", ["--config", "\(box.root)/cvr.yaml"])
        #expect(done.ending == .exited(70))
        #expect(done.errors.contains("admin.sock") && !done.errors.contains("syncStarted"), "\(done.errors)")
    }
}
