import Foundation
import Isolation
import Testing

/// The real cvrd, on a box without cameras.
@Suite("Supervision: program", .timeLimit(.minutes(1)))
struct ProgramTests {
    static var binary: String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = ProcessInfo.processInfo.environment["CVR_TEST_BIN"] ?? root.path + "/.build/release"
        return "\(folder)/cvrd"
    }

    /// Read on a thread of its own: cvrd's log comes when it comes.
    private static func lines(of log: FileHandle) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        Thread.detachNewThread {
            var rest = Data()
            while case let chunk = log.availableData, !chunk.isEmpty {
                rest += chunk
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
            continuation.finish()
        }
        return stream
    }

    /// Runs cvrd and hands over its log line by line, until `body` has had enough; then it is told to stop.
    private func run(
        _ box: TemporaryBox, _ body: (_ pid: Int32, _ line: String) throws -> Bool
    ) async throws -> Int32 {
        let process = Process()
        let log = Pipe()
        process.executableURL = URL(filePath: Self.binary)
        process.arguments = ["--config", "\(box.root)/cvr.yaml"]
        (process.standardError, process.standardInput) = (log, FileHandle.nullDevice)
        try process.run()
        defer { if process.isRunning { process.terminate() } }
        for await line in Self.lines(of: log.fileHandleForReading) where try body(process.processIdentifier, line) {
            break
        }
        process.terminate()
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                process.waitUntilExit()
                continuation.resume()
            }
        }
        return process.terminationStatus
    }

    @Test("neither cvrd nor cvr-sync leaves a core, and nobody may read cvrd's memory (I10)")
    func noCores() async throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        var processes: [Int32] = []
        var limits: [Substring] = []
        let status = try await run(box) { pid, line in
            guard line.contains("syncStarted"), let sync = Int32(line.split(separator: " ").last ?? "") else {
                return false
            }
            processes = [pid, sync]
            limits = try processes.flatMap { pid in
                try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8).split(separator: "\n")
                    .filter { $0.hasPrefix("Max core file size") }
            }
            return true
        }
        #expect(processes.count == 2 && limits.count == 2)
        for limit in limits { #expect(limit.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"], "\(limit)") }
        #expect(status == 0)
    }

    @Test("without its admin socket cvrd starts nothing, and says so")
    func noSocket() async throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        try SmallFileFixture.write("in the way", "\(box.root)/run/admin.sock")
        var lines: [String] = []
        let status = try await run(box) { _, line in
            lines.append(line)
            return false
        }
        #expect(status == 70)
        #expect(lines.contains { $0.contains("admin.sock") })
        #expect(!lines.contains { $0.contains("syncStarted") })
    }
}
