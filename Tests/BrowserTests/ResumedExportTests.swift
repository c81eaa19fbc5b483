import Foundation
import Recording
import TestSupport
import Testing

extension BrowserTests.Recorded {
    @Test("cvrctl export goes on where it was killed, and the file is the one that it would have been")
    func resumedExport() async throws {
        let past = try PastBox.current
        // Several of the blocks that an export fetches and syncs at a time.
        try await eventually("dock has 50 s", within: .seconds(120)) {
            Date().timeIntervalSince1970 > past.now.start + 55 ? true : nil
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "export-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let whole = try export("\(folder)/whole.mp4", of: past)
        #expect(try await whole.end() == .exited(0), "\(whole.output.text)\(whole.errors.text)")

        let broken = try export("\(folder)/broken.mp4", of: past)
        _ = try await broken.output.first("a first block") { Self.bytes($0) ?? 0 > 0 ? true : nil }
        broken.signal(SIGKILL)
        #expect(try await broken.end() == .killed(signal: SIGKILL))
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/broken.mp4"))
        let resumed = try export("\(folder)/broken.mp4", of: past)
        #expect(try await resumed.end() == .exited(0), "\(resumed.output.text)\(resumed.errors.text)")
        let first = try #require(resumed.output.lines.first.flatMap(Self.bytes))
        #expect(first > 0, "it began anew: \(resumed.output.text)")

        let names = ["whole", "broken"].map { "\(folder)/\($0).mp4" }
        let files = try names.map { try Data(contentsOf: URL(filePath: $0)) }
        #expect(files[0] == files[1] && files[0].count > 3 * 16 << 20, "\(files.map(\.count))")
        let played = try await run(
            "/usr/bin/ffmpeg", ["-nostdin", "-v", "error", "-xerror", "-i", names[1], "-c", "copy", "-f", "null", "-"])
        #expect(played.ending == .exited(0) && played.errors.isEmpty, "\(played.errors)")
        try FileManager.default.removeItem(atPath: folder)
    }

    private func export(_ file: String, of past: PastBox) throws -> ChildProcess {
        let times = [past.now.start, past.now.start + 50].map { WallTime(microseconds: Int64($0 * 1e6)).rfc3339 }
        return try ChildProcess(
            "\(Repository.binaries)/cvrctl",
            ["export", "dock", "--from", times[0], "--to", times[1], "--output", file, "--json"]
                + ["--url", String(past.watched.url.dropLast())])
    }

    /// How far a line of `cvrctl --json export` says it is.
    @Sendable private static func bytes(_ line: String) -> Int? {
        struct Progress: Decodable {
            let bytes: Int
        }
        // Another line than one of progress decodes to nothing.
        return try? JSONDecoder().decode(Progress.self, from: Data(line.utf8)).bytes
    }
}
