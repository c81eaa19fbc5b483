import MediaGraph
import Recording
import TestSupport
import Testing

/// Names of assets and files that hold the times of their recordings.
@Suite("name patterns")
struct NamePatternTests {
    @Test("names hold the times of their recordings")
    func names() {
        let pattern = NamePattern([.text("a-"), .dateTime, .text("-"), .preciseDateTime])
        #expect(pattern.hasTime)
        #expect(pattern.resolve(at: someTime) == "a-20210419T192249Z-20210419T192249.296Z")
        #expect(!NamePattern([.text("a")]).hasTime)
        #expect(pattern.resolve(at: .earliest).hasPrefix("a-00000101T000000Z"))
    }
}
