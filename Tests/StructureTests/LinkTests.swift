import Foundation
import Testing

/// The link line is the privilege list: ARCHITECTURE.md's table is held against the binaries.
@Suite("Structure: link line")
struct LinkTests {
    let tree = SourceTree()

    /// Libraries that a binary asks for by itself (DT_NEEDED), without version numbers.
    func needed(_ process: String) throws -> Set<String> {
        let folder = ProcessInfo.processInfo.environment["CVR_TEST_BIN"] ?? tree.root.path + "/.build/release"
        let readelf = Process()
        let output = Pipe()
        readelf.executableURL = URL(filePath: "/usr/bin/readelf")
        readelf.arguments = ["-d", "\(folder)/\(process)"]
        readelf.standardOutput = output
        try readelf.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        readelf.waitUntilExit()
        try #require(readelf.terminationStatus == 0, "readelf \(folder)/\(process)")
        return Set(text.matches(of: /\(NEEDED\)\s+Shared library: \[(?:lib)?([^\]]+?)\.so/).map { String($0.output.1) })
    }

    @Test(
        "each process links what the table says, and nothing else",
        arguments: ["cvrd", "cvr-ingest", "cvr-sync", "cvr-playback", "cvr-gateway", "cvr-preview", "cvrctl"])
    func table(process: String) throws {
        let row = try #require(
            try tree.table("links", in: "ARCHITECTURE.md").first { SourceTree.codeSpans($0[0]) == [process] })
        let runtime: Set = ["c", "m", "stdc++", "gcc_s", "ld-linux-x86-64", "ld-linux-aarch64"]
        #expect(try needed(process).subtracting(runtime) == Set(SourceTree.codeSpans(row[1])))
    }
}
