import Testing

@Suite("Structure: release")
struct ReleaseTests {
    let tree = SourceTree()

    @Test("the version is written once, and every process tells that one")
    func version() throws {
        let home = "Sources/Messages/Release.swift"
        for file in try tree.swiftFiles(in: "Sources") {
            let copies = file.text.matches(of: /"\d+\.\d+\.\d+"/).count
            #expect(copies == (file.path == home ? 1 : 0), "\(file.path)")
        }
        for process in ["cvrd", "cvr-ingest", "Sync", "cvrctl"] {
            let files = try tree.swiftFiles(in: "Sources/\(process)")
            #expect(files.contains { $0.text.contains("Release.version") }, "\(process)")
        }
    }
}
