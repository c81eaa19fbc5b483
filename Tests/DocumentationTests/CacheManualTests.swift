import TestSupport
import Testing

/// etc/man/cvr-cache.7 against what is written.
@Suite("Documentation: cvr-cache(7)", .timeLimit(.minutes(1)))
struct CacheManualTests {
    @Test("names every kind of a journal's records, and no other")
    func kinds() throws {
        let files = try SourceFiles.below("Sources/SegmentStore")
        let fields = try #require(files.first { $0.path.hasSuffix("/JournalRecord+Fields.swift") })
        let kinds = try #require(fields.text.firstMatch(of: /var kind: String \{[^}]*\}/)).output
            .matches(of: /case \.\w+: "([a-z-]+)"/).map { String($0.output.1) }
        #expect(kinds.count > 10)
        #expect(Set(try ManualPage("cvr-cache.7").section("Journal").terms) == Set(kinds))
    }
}
