import Testing

/// A step at which cvr-sync, or a worker in a swap, may be killed is one at which a test kills it.
@Suite("Structure: failpoints")
struct FailpointTests {
    let tree = SourceTree()

    /// The names in the sources of what cvr-sync alone does.
    func steps() throws -> Set<String> {
        let files = try tree.swiftFiles(in: "Sources/Sync") + tree.swiftFiles(in: "Sources/ObjectStore")
        return Set(
            files.flatMap { $0.text.matches(of: /[ .]step\("([a-z]+\.[A-Za-z]+)"\)/) }.map { String($0.output.1) })
    }

    @Test("each step of cvr-sync is in the list of the crash tests, and each name in that list is a step")
    func killed() throws {
        let steps = try steps()
        #expect(steps.count > 10)
        let tests =
            try tree.text("Tests/CrashTests/SyncKillTests.swift")
            + tree.text("Tests/SyncTests/Files/FileSinkTests.swift").split(separator: "\n")
            .filter { $0.contains("\"file.") }.joined(separator: "\n")
        let listed = Set(tests.matches(of: /"([a-z]+\.[A-Za-z]+)(?::\d+)?"/).map { String($0.output.1) })
        #expect(steps.subtracting(listed).isEmpty, "nothing dies at \(steps.subtracting(listed).sorted())")
        let shared = try tree.text("Sources/SegmentStore/Failpoint.swift")
        let strangers = listed.subtracting(steps).filter { !shared.contains("= \"\($0)\"") }
        #expect(strangers.isEmpty, "no such step: \(strangers.sorted())")
    }

    @Test("ARCHITECTURE.md names each step of cvr-sync, and no other")
    func documented() throws {
        let text = try tree.text("ARCHITECTURE.md").replacing("\n", with: " ")
        let groups = text.matches(of: /`(upload|verify|commit|evict|retain|survey|file)\.\{([A-Za-z, ]+)\}`/)
        let named = groups.flatMap { group in
            group.output.2.split(separator: ",").map { name in
                "\(group.output.1)." + name.filter { $0 != " " }
            }
        }
        #expect(try steps() == Set(named))
    }

    @Test("each step of a swap is in the list of the tests that die at it and in ARCHITECTURE.md, and no other is")
    func swaps() throws {
        let sources = try tree.swiftFiles(in: "Sources/Ingest").map(\.text).joined()
        let steps = Set(sources.matches(of: /Failpoint\.reach\("([A-Za-z.]+)"\)/).map { String($0.output.1) })
        #expect(steps.count > 5)
        let word = /["`]((?:swap|handOver|takeOver)\.[A-Za-z]+)["`]/
        let tests = try tree.text("Tests/CrashTests/SwapKillTests.swift")
        #expect(Set(tests.matches(of: word).map { String($0.output.1) }) == steps)
        #expect(Set(try tree.text("ARCHITECTURE.md").matches(of: word).map { String($0.output.1) }) == steps)
    }
}
