import JSON
import MediaGraph
import TestSupport
import Testing

/// Every graph that LVA's users start from is valid; seven of the 56 spellings run, the others say which node does not.
@Suite("LVA's sample graphs")
struct SampleGraphTests {
    @Test("there are 56 spellings")
    func count() { #expect(SampleGraph.spellings.count == 56) }

    @Test("each is valid in each spelling", arguments: SampleGraph.all)
    func valid(graph: SampleGraph) throws {
        for form in graph.forms {
            let topology = try Topology(graph.payload(form), at: someTime)
            #expect(topology.name == graph.name)
            #expect(topology.nodes.map(\.name).sorted() == graph.nodes(in: form).map(\.name).sorted())
            _ = try Instance(graph.instance(form), topology: { _ in topology }, at: someTime)
        }
    }

    @Test("seven run; each of the others names its nodes that do not", arguments: SampleGraph.all)
    func refusals(graph: SampleGraph) throws {
        for form in graph.forms {
            let topology = try Topology(graph.payload(form), at: someTime)
            let instance = try Instance(graph.instance(form), topology: { _ in topology }, at: someTime)
            let plan = try RecordingPlan.make(instance, of: topology)
            let refused = topology.nodes.filter { node in
                plan.refusals.contains {
                    $0.code == "ModuleValidationError" && $0.target == node.path && $0.message.contains(node.name)
                }
            }
            #expect(Set(refused.map(\.name)) == graph.refused(in: form), "\(graph.folder) \(form)")
            #expect(plan.refusals.count == refused.count)
            #expect((plan.error == nil) == graph.refused(in: form).isEmpty)
        }
    }

    @Test("the seven that run are those of cameras, sound and messages")
    func running() throws {
        let running = SampleGraph.spellings.filter { $0.graph.refused(in: $0.form).isEmpty }
        #expect(running.count == 7)
        #expect(Set(running.map(\.graph.folder)) == ["cvr-asset", "audio-video", "evr-hubMessage-files"])
    }

    @Test("what was set comes back, in the form it was set in", arguments: SampleGraph.all)
    func roundTrip(graph: SampleGraph) throws {
        for form in graph.forms {
            let payload = graph.payload(form)
            let topology = try Topology(payload, at: someTime)
            let times: JSONValue = [
                "createdAt": "2021-04-19T19:22:49.296Z", "lastModifiedAt": "2021-04-19T19:22:49.296Z",
            ]
            let text = payload.setting("systemData", times).text
            let spelled = text.replacing("LocalMedia", with: "localMedia").replacing(
                "SharedMemory", with: "sharedMemory")
            #expect(topology.json(.hidden) == (try JSONValue(parsing: spelled)))
            #expect(try Topology(stored: topology.json(.sealed(seal)), open: unseal) == topology)
        }
    }
}
