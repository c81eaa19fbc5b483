import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// No two running instances record to one asset or one file (I2, I4).
@Suite("Graph book: outputs")
struct GraphOutputsTests {
    private static let taken = "409 ResourceValidationError"

    private func asset(_ name: String, _ pattern: String) -> JSONValue {
        BookBench.json(BookBench.topology(name)).setting("properties.sinks.0.assetNamePattern", .string(pattern))
    }

    private func instance(_ name: String, of topology: String) -> JSONValue {
        BookBench.json(BookBench.instance(name, of: topology))
    }

    private func bench(_ topologies: [JSONValue], _ instances: [JSONValue]) -> BookBench {
        var bench = BookBench()
        for topology in topologies { #expect(bench.call("GraphTopologySet", topology) == "201") }
        for instance in instances { #expect(bench.call("GraphInstanceSet", instance) == "201") }
        return bench
    }

    @Test("an asset has one writer, until that is inactive again")
    func assets() throws {
        var bench = bench(
            [
                asset("One", "same"),
                asset("Two", "sa${rtspUrl}").setting("properties.parameters.0.default", "me")
                    .setting("properties.sources.0.endpoint.url", "rtsp://a"),
            ],
            [instance("A", of: "One"), instance("B", of: "Two").setting("properties.parameters", [])])
        #expect(bench.call("GraphInstanceActivate", named: "A") == "activate new")
        for state in [InstanceState.activating, .active, .deactivating] {
            #expect(bench.book.instance("A")?.state == state)
            #expect(bench.call("GraphInstanceActivate", named: "B") == Self.taken)
            #expect(bench.reply?.payload.text.contains("$.Properties.Sinks[0].AssetNamePattern") == true)
            #expect(bench.reply?.payload.text.contains("instance A") == true)
            #expect(bench.book.instance("B")?.state == .inactive)
            if state == .activating { _ = bench.book.activated("A", nil) }
            if state == .active { _ = bench.call("GraphInstanceDeactivate", named: "A") }
        }
        _ = bench.book.deactivated("A")
        #expect(bench.call("GraphInstanceActivate", named: "B") == "activate new")
        #expect(try bench.book.plan(of: "b").asset?.pattern.resolve(at: bench.now) == "same")
        _ = bench.book.activated("B", GraphError(status: 503, code: "ServerBusy", message: "No room."))
        #expect(bench.call("GraphInstanceActivate", named: "A") == "activate new")
    }

    @Test("an asset of a camera of cvr.yaml is taken")
    func cameras() {
        var bench = bench([asset("One", "yard-1")], [instance("A", of: "One")])
        bench.takenAssets = ["yard-1": "the camera yard of cvr.yaml"]
        #expect(bench.call("GraphInstanceActivate", named: "A") == Self.taken)
        #expect(bench.reply?.payload.text.contains("the camera yard of cvr.yaml") == true)
        bench.takenAssets = [:]
        #expect(bench.call("GraphInstanceActivate", named: "A") == "activate new")
    }

    @Test("names with a time alone differ by the instance's name, also after a restart")
    func times() throws {
        let graph = SampleGraph.named("evr-hubMessage-files")
        let sink: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphAssetSink", "name": "asset",
            "inputs": [["nodeName": "signalGateProcessor"]], "localMediaCachePath": "/tmp",
            "assetNamePattern": "sampleAssetFromEVR-LVAEdge-${System.DateTime}", "localMediaCacheMaximumSizeMiB": "20",
        ]
        var bench = bench(
            [graph.payload(.v2).setting("properties.sinks.1", sink)],
            ["B", "A", "C"].map { graph.instance(.v2, name: $0) })
        for name in ["B", "A"] {
            #expect(bench.call("GraphInstanceActivate", named: name) == "activate new")
            _ = bench.book.activated(name, nil)
        }
        func names(_ book: GraphBook, _ name: String) throws -> [String?] {
            let plan = try book.plan(of: name)
            return [plan.file?.pattern, plan.asset?.pattern].map { $0?.resolve(at: someTime) }
        }
        let file = "sampleFilesFromEVR-filesinkOutput-20210419T192249Z"
        let asset = "sampleAssetFromEVR-LVAEdge-20210419T192249Z"
        #expect(try names(bench.book, "b") == [file, asset])
        #expect(try names(bench.book, "a") == [file + "-A", asset + "-A"])
        let topology = try #require(bench.book.topology(graph.name))
        var restored = GraphBook()
        restored.restore(topology: topology)
        for instance in bench.book.allInstances { restored.restore(instance: instance) }
        let now = try ["a", "b"].map { try names(restored, $0) }
        #expect(now[0] != now[1] && Set(now.flatMap(\.self).compactMap { $0?.hasPrefix("sample") }) == [true])
    }

    @Test("a name that would become too long for both is refused")
    func tooLong() {
        let pattern = String(repeating: "a", count: 110) + "-${System.DateTime}"
        var bench = bench([asset("One", pattern)], [instance("A", of: "One"), instance("Bb", of: "One")])
        #expect(bench.call("GraphInstanceActivate", named: "A") == "activate new")
        #expect(bench.call("GraphInstanceActivate", named: "Bb") == Self.taken)
    }
}
