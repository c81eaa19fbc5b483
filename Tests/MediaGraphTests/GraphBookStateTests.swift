import MediaGraph
import TestSupport
import Testing

/// LVA's state machine: every method in every state.
@Suite("Graph book: states")
struct GraphBookStateTests {
    static let states: [InstanceState] = [.inactive, .activating, .active, .deactivating]
    static let refused = "409 OperationNotAllowedInState"

    /// What each says while the instance is Inactive, Activating, Active and Deactivating.
    static let table: [(method: String, said: [String])] = [
        ("GraphInstanceActivate", ["activate new", "activate joined", "200", refused]),
        ("GraphInstanceDeactivate", ["200", refused, "deactivate new", "deactivate joined"]),
        ("GraphInstanceSet", ["200", refused, refused, refused]),
        ("GraphInstanceGet", ["200", "200", "200", "200"]),
        ("GraphInstanceList", ["200", "200", "200", "200"]),
        ("GraphInstanceDelete", ["200", refused, refused, refused]),
        ("GraphTopologySet", ["200"] + Array(repeating: "409 GraphTopologyInUse", count: 3)),
        ("GraphTopologyGet", ["200", "200", "200", "200"]),
        ("GraphTopologyList", ["200", "200", "200", "200"]),
        ("GraphTopologyDelete", Array(repeating: "409 GraphTopologyInUse", count: 4)),
    ]

    @Test("every method in every state", arguments: table.indices)
    func each(row: Int) {
        let (method, expected) = Self.table[row]
        for (state, said) in zip(Self.states, expected) {
            var bench = BookBench()
            bench.bring("Front", of: "Graph", to: state)
            #expect(bench.book.instance("front")?.state == state)
            let payload =
                switch method {
                case "GraphInstanceSet": BookBench.instance("FRONT", of: "GRAPH")
                case "GraphTopologySet": BookBench.topology("graph")
                default: #"{"@apiVersion":"1.0","NAME":"\#(method.contains("Topology") ? "gRAPH" : "fRONT")"}"#
                }
            #expect(bench.call(method, payload) == said, "\(method) while \(state.rawValue)")
        }
    }

    @Test("all methods are in that table")
    func complete() { #expect(Set(Self.table.map(\.method)) == Set(GraphMethod.allCases.map(\.rawValue))) }

    @Test("activation ends as the engine says: active, or inactive with its reason for everybody who waits")
    func activated() {
        var bench = BookBench()
        bench.bring("Front", of: "Graph", to: .activating)
        let failure = GraphError(status: 400, code: "InvalidResource", message: "No such directory.")
        let (failed, changed) = bench.book.activated("FRONT", failure)
        #expect(failed.status == 400 && failed.payload == failure.payload && changed == [.instance("Front")])
        #expect(bench.book.instance("front")?.state == .inactive)
        // Nobody waits any more: that changes nothing.
        #expect(bench.book.activated("front", nil).1 == [])
        #expect(bench.book.instance("front")?.state == .inactive)
        #expect(bench.call("GraphInstanceActivate", named: "front") == "activate new")
        let (done, _) = bench.book.activated("front", nil)
        #expect(done == MethodReply(status: 200) && done.wholeText == #"{"status":200,"payload":null}"#)
        #expect(bench.book.instance("front")?.state == .active)
    }

    @Test("deactivation ends inactive")
    func deactivated() {
        var bench = BookBench()
        bench.bring("Front", of: "Graph", to: .deactivating)
        let (done, changed) = bench.book.deactivated("front")
        #expect(done.status == 200 && changed == [.instance("Front")])
        #expect(bench.book.instance("front")?.state == .inactive)
        #expect(bench.book.deactivated("nobody").1 == [])
    }

    @Test("what cannot run here is refused before it is Activating, with the node")
    func refusals() {
        var bench = BookBench()
        let motion = BookBench.topology("Motion").replacing(
            #""sinks":[{"#,
            with: #"""
                "processors":[{"@type":"#Microsoft.Media.MediaGraphMotionDetectionProcessor","name":"motion",
                  "inputs":[{"nodeName":"camera"}]}],
                "sinks":[{"@type":"#Microsoft.Media.MediaGraphIoTHubMessageSink","name":"hub","hubOutputName":"o",
                  "inputs":[{"nodeName":"motion"}]},{
                """#)
        #expect(bench.call("GraphTopologySet", motion) == "201")
        #expect(bench.call("GraphInstanceSet", BookBench.instance("Front", of: "Motion")) == "201")
        #expect(bench.call("GraphInstanceActivate", named: "Front") == "400 ModuleValidationError")
        #expect(bench.reply?.text.contains("Processors[0]") == true)
        #expect(bench.book.instance("Front")?.state == .inactive)
    }

    @Test("restored ones are what they were, and can be resumed")
    func restored() throws {
        for state in Self.states {
            var bench = BookBench()
            bench.bring("Front", of: "Graph", to: state)
            let topology = try #require(bench.book.topology("graph"))
            let instance = try #require(bench.book.instance("front"))
            var book = GraphBook()
            book.restore(instance: instance)
            #expect(throws: GraphError.self) { try book.plan(of: "Front") }
            book.restore(topology: topology)
            #expect(book.allInstances == [instance] && book.instance("FRONT")?.state == state)
            #expect(try book.plan(of: "front").asset?.pattern.resolve(at: bench.now) == "Front")
        }
    }

    @Test("a camera of cvr.yaml is started and stopped, and joins nobody")
    func cameras() {
        var bench = BookBench()
        for (state, activate, deactivate) in [
            (.inactive, "camera front start", "200"), (.active, "200", "camera front stop"),
        ] as [(InstanceState, String, String)] {
            bench.show(camera: "front", state)
            #expect(bench.call("GraphInstanceActivate", named: "Front") == activate)
            #expect(bench.call("GraphInstanceDeactivate", named: "FRONT") == deactivate)
            #expect(bench.call("GraphInstanceGet", named: "front") == "200")
        }
        #expect(bench.call("GraphInstanceActivate", named: "yard") == "404 NotFound")
    }

    @Test("what could not be written is as it was, and what came into the book meanwhile stays")
    func undone() throws {
        var bench = BookBench()
        bench.bring("Front", of: "Graph", to: .active)
        let (topology, other) = (try #require(bench.book.topology("graph")), bench.book.instance("front"))
        let before = bench.book
        #expect(bench.call("GraphInstanceDeactivate", named: "FRONT") == "deactivate new")
        bench.book.restore(topology: topology)
        var elsewhere = BookBench()
        elsewhere.bring("Yard", of: "Graph", to: .inactive)
        let yard = try #require(elsewhere.book.instance("yard"))
        bench.book.restore(instance: yard)
        bench.book.undo([.instance("FRONT")], asIn: before)
        #expect(bench.book.instance("front") == other && bench.book.instance("yard") == yard)
        #expect(try bench.book.plan(of: "front") == before.plan(of: "front"))
        #expect(bench.call("GraphTopologySet", BookBench.topology("More")) == "201")
        bench.book.undo(bench.changes, asIn: before)
        #expect(bench.book.topology("more") == nil && bench.book.topology("graph") == topology)
    }
}
