import MediaGraph
import TestSupport
import Testing

/// etc/man/cvr-lva.7 against what is understood, and what is sent.
@Suite("Documentation: cvr-lva(7)", .timeLimit(.minutes(1)))
struct GraphManualTests {
    let page: ManualPage

    init() throws { page = try ManualPage("cvr-lva.7") }

    @Test("names every node, and no other")
    func nodes() throws {
        let named = try page.section("NODES").lines.compactMap {
            $0.firstMatch(of: /^(MediaGraph\w+) +(?:runs|refused)/).map { String($0.output.1) }
        }
        #expect(named.count == NodeType.allCases.count && Set(named) == Set(NodeType.allCases.map(\.rawValue)))
    }

    @Test("names every direct method, and no other")
    func methods() throws {
        let named = try page.section("METHODS").lines.compactMap {
            $0.firstMatch(of: /^(?:PUT|GET|POST|DELETE) \S+ +(\w+)$/).map { String($0.output.1) }
        }
        #expect(named.count == GraphMethod.allCases.count && Set(named) == Set(GraphMethod.allCases.map(\.rawValue)))
    }

    @Test("names every code of an error's details, and no other")
    func details() throws {
        let named = try page.section("Errors").tags.flatMap {
            ManualPage.plain($0).matches(of: /[A-Z]\w+[a-z]/).map { String($0.output) }
        }
        #expect(named.count == DetailCode.allCases.count && Set(named) == Set(DetailCode.allCases.map(\.rawValue)))
    }

    @Test("names every event, and no other")
    func events() throws {
        let source = try SourceFiles.below("Sources/MediaGraph").map(\.text).joined()
        let sent = Set(source.matches(of: /"(?:Operational|Diagnostics|Analytics)\.(\w+)"/).map { String($0.output.1) })
        #expect(sent.count > 10)
        let text = try page.section("EVENTS").lines.map(ManualPage.plain).joined(separator: " ")
        for event in sent { #expect(text.contains(event), "\(event)") }
        let shaped = text.matches(of: /Recording[A-Z]\w+|[A-Z]\w+Error|\w+Dropped|\w+Established/).map {
            String($0.output)
        }
        #expect(Set(shaped).subtracting(sent) == ["RuntimeError"])
        for word in ["/graphInstances", "count", "dataType"] { #expect(text.contains(word), "what DataDropped has") }
    }
}
