import JSON
import MediaGraph
import TestSupport
import Testing

/// How nodes may hang together, of each version.
@Suite("rules of graphs")
struct GraphRulesTests {
    private typealias Node = SampleNode

    private func mistakes(_ nodes: [SampleNode], _ form: Form = .v2) -> [String] {
        var graph = SampleGraph.named("cvr-asset")
        graph.nodes = nodes
        let payload = graph.payload(form)
        return graphError { () throws(GraphError) in try Topology(payload, at: someTime) }?.summary ?? []
    }

    private static let r = Node.node("R")
    private static let gate = Node.node("G", "H", "R")

    private func named(_ kind: Character, _ name: String, _ inputs: String...) -> SampleNode {
        SampleNode(kind: kind, name: name, inputs: inputs)
    }

    @Test("exactly one RTSP source")
    func sources() {
        let asset = Node.node("A", "R")
        #expect(mistakes([Self.r, named("R", "other"), asset]) == ["GraphValidationError $.Properties.Sources[1]"])
        #expect(
            mistakes([named("H", "rtspSource"), asset])
                == ["GraphValidationError $.Properties.Sources", "GraphValidationError $.Properties.Sinks[0].Inputs"])
    }

    @Test("1.0 has one of each at most where 2.0 may have more")
    func counts() {
        let two: [Character] = ["X", "M", "A"]
        for kind in two {
            let nodes = [Self.r, named(kind, "one", "rtspSource"), named(kind, "two", "rtspSource")]
            #expect(mistakes(nodes, .v1).count == 1)
            #expect(mistakes(nodes, .v2).isEmpty)
        }
    }

    @Test("names of nodes are unique, and inputs name a node that has an output")
    func names() {
        let twice = [Self.r, named("A", "rtspSource", "rtspSource")]
        #expect(mistakes([Self.r, named("A", "RTSPSOURCE", "rtspSource")]) == mistakes(twice))
        #expect(mistakes([Self.r, named("A", "a", "RtspSource")]) == [])
        #expect(mistakes(twice) == ["NodeNameNotUnique $.Properties.Sinks[0].Name"])
        #expect(
            mistakes([Self.r, named("A", "a", "nobody")])
                == ["GraphValidationError $.Properties.Sinks[0].Inputs[0].NodeName"])
        #expect(
            mistakes([Self.r, named("A", "a", "rtspSource"), named("S", "s", "a")])
                == ["GraphValidationError $.Properties.Sinks[1].Inputs[0].NodeName"])
        #expect(mistakes([Self.r, named("A", "a")]) == ["PropertyRequired $.Properties.Sinks[0].Inputs"])
        let empty = SampleGraph.named("cvr-asset").payload(.v2).setting("properties.sinks.0.inputs", [])
        #expect(
            graphError { () throws(GraphError) in try Topology(empty, at: someTime) }?.summary
                == ["GraphValidationError $.Properties.Sinks[0].Inputs"])
        let open = SampleGraph.named("cvr-asset").payload(.v2).setting("properties.sinks.0.name", "${rtspUrl}")
        #expect(
            graphError { () throws(GraphError) in try Topology(open, at: someTime) }?.summary
                == ["PropertyValueInvalidFormat $.Properties.Sinks[0].Name"])
    }

    @Test("what must come directly after what")
    func neighbours() {
        let wrong: [[SampleNode]] = [
            [Self.r, Node.node("X", "R"), Node.node("M", "X")],
            [Self.r, Node.node("M", "R"), Node.node("G", "M")],
            [Self.r, Node.node("M", "R"), Node.node("A", "M")],
            [Self.r, Node.node("X", "R"), Node.node("A", "X")],
            [Self.r, Node.node("L", "R")],
            [Self.r, Node.node("M", "R"), Node.node("L", "M")],
            [Self.r, Node.node("X", "R"), Node.node("L", "X")],
            [Self.r, Node.node("H"), Self.gate, Node.node("S", "H"), Node.node("A", "G")],
        ]
        for nodes in wrong {
            for form in [Form.v1, .v2] {
                let found = mistakes(nodes, form)
                #expect(found.count == 1, "\(nodes.map(\.kind)) \(form) \(found)")
                #expect(found.allSatisfy { $0.hasPrefix("GraphValidationError") && $0.hasSuffix(".Inputs") })
            }
        }
        #expect(mistakes([Self.r, Node.node("X", "R"), Node.node("F", "X")], .v1).count == 1)
    }

    @Test("what LVA allows is not refused")
    func allowed() {
        let right: [[SampleNode]] = [
            [Self.r], [Self.r, Node.node("S", "R")], [Self.r, Node.node("H"), Self.gate, Node.node("S", "G")],
            [Self.r, Node.node("H"), Node.node("G", "R", "H"), Node.node("A", "G"), Node.node("L", "G")],
            [Self.r, Node.node("H"), Self.gate, Node.node("X", "G"), Node.node("S", "X")],
            [Self.r, Node.node("A", "R"), Node.node("S", "R")],
        ]
        for nodes in right {
            for form in [Form.v1, .v2] { #expect(mistakes(nodes, form).isEmpty, "\(nodes.map(\.kind))") }
        }
    }

    @Test("a graph has no cycle and no second part")
    func shape() {
        let cycle = [Self.r, named("X", "x", "rtspSource", "p"), named("P", "p", "x")]
        #expect(mistakes(cycle) == ["GraphValidationError $.Properties.Processors[0].Inputs"])
        #expect(mistakes([Self.r, named("X", "x", "rtspSource", "x")]).count == 1)
        let parts = [Self.r, Node.node("A", "R"), Node.node("H"), named("X", "x", "iotMessageSource")]
        #expect(
            mistakes(parts)
                == ["GraphValidationError $.Properties.Sources[1]", "GraphValidationError $.Properties.Processors[0]"])
    }
}
