import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// Topologies as people write them: with what `SampleGraphs`, which one writer makes, has none of.
@Suite("hand-written graphs")
struct HandWrittenGraphTests {
    /// Literal credentials, an empty list, no transport, sinks in any order, a parameter that nothing uses.
    static let continuous = #"""
        { "@apiVersion": "2.0", "name": "Lobby-CVR", "properties": {
            "parameters": [
              { "name": "rtspUrl", "type": "String", "description": "rtsp Url" },
              { "name": "prefix", "type": "String", "default": "site-" },
              { "name": "rtspUserName", "type": "String", "default": "dummyUserName" } ],
            "sources": [ { "@type": "#Microsoft.Media.MediaGraphRtspSource", "name": "rtspSource",
              "endpoint": { "@type": "#Microsoft.Media.MediaGraphUnsecuredEndpoint", "url": "${rtspUrl}",
                "credentials": { "@type": "#Microsoft.Media.MediaGraphUsernamePasswordCredentials",
                  "username": "test", "password": "test" } } } ],
            "processors": [],
            "sinks": [
              { "@type": "#Microsoft.Media.MediaGraphIoTHubMessageSink", "name": "hub", "hubOutputName": "inferences",
                "inputs": [ { "nodeName": "rtspSource" } ] },
              { "@type": "#Microsoft.Media.MediaGraphAssetSink", "name": "assetSink",
                "assetNamePattern": "${prefix}${System.GraphInstanceName}", "segmentLength": "PT30S",
                "localMediaCacheMaximumSizeMiB": "2048", "localMediaCachePath": "var/lib/tmp",
                "inputs": [ { "nodeName": "rtspSource", "outputSelectors": [] } ] } ] } }
        """#

    /// Of API 1.0, with bare numbers, an asset of a fixed name, and an unused parameter without default.
    static let gated = #"""
        { "@apiVersion": "1.0", "name": "DoorEvents", "properties": {
            "description": "",
            "parameters": [
              { "name": "rtspUrl", "type": "string" }, { "name": "assetName", "type": "String", "default": "doorAsset" },
              { "name": "hubSourceInput", "type": "String" }, { "name": "inferencingUrl", "type": "String" } ],
            "sources": [
              { "@type": "#Microsoft.Media.MediaGraphIoTHubMessageSource", "name": "hub",
                "hubInputName": "${hubSourceInput}" },
              { "@type": "#Microsoft.Media.MediaGraphRtspSource", "name": "camera", "transport": "tcp",
                "endpoint": { "@type": "#Microsoft.Media.MediaGraphUnsecuredEndpoint", "url": "${rtspUrl}" } } ],
            "processors": [
              { "@type": "#Microsoft.Media.MediaGraphSignalGateProcessor", "name": "gate",
                "inputs": [ { "nodeName": "hub" }, { "nodeName": "camera" } ], "activationEvaluationWindow": "PT1S",
                "activationSignalOffset": "-PT5S", "minimumActivationTime": "PT10S", "maximumActivationTime": "PT1M" } ],
            "sinks": [
              { "@type": "#Microsoft.Media.MediaGraphFileSink", "name": "files", "inputs": [ { "nodeName": "gate" } ],
                "filePathPattern": "/var/media/${System.GraphInstanceName}" },
              { "@type": "#Microsoft.Media.MediaGraphAssetSink", "name": "asset", "inputs": [ { "nodeName": "gate" } ],
                "assetNamePattern": "${assetName}", "segmentLength": "PT0M30S",
                "LocalMediaCacheMaximumSizeMiB": 200, "localMediaCachePath": "/var/lib/azuremediaservices/tmp/" } ] } }
        """#

    private func bench(_ topology: String, _ parameters: [(String, String)]) -> BookBench {
        var bench = BookBench()
        let payload = BookBench.json(topology)
        #expect(bench.call("GraphTopologySet", payload) == "201")
        // What was written comes back, but for literal passwords.
        let properties = payload.renamed["properties"]?.setting("sources.0.endpoint.credentials.password", nil)
        let shown = bench.reply?.payload["properties"]
        if topology == Self.continuous { #expect(shown == properties) }
        let given = parameters.map { JSONValue.object(["name": .string($0), "value": .string($1)]) }
        let instance: JSONValue = [
            "@apiVersion": "1.0", "name": "Lobby-1",
            "properties": ["topologyName": payload["name"] ?? .null, "parameters": .array(given)],
        ]
        #expect(bench.call("GraphInstanceSet", instance) == "201")
        #expect(bench.call("GraphInstanceActivate", named: "lobby-1") == "activate new")
        return bench
    }

    @Test("a continuous one runs")
    func runsAlways() throws {
        let plan = try bench(Self.continuous, [("rtspUrl", "rtsp://a/1")]).book.plan(of: "Lobby-1")
        #expect(plan.asset?.pattern.resolve(at: someTime) == "site-Lobby-1")
        #expect(plan.source.username == Secret("test") && plan.source.password == Secret("test"))
        #expect(plan.messageSinks.isEmpty && plan.gate == nil && plan.takesAudio)
    }

    @Test("one by messages runs, and wants a value even for what nothing uses")
    func runsByMessages() throws {
        let given = [("rtspUrl", "rtsp://a/1"), ("hubSourceInput", "door"), ("inferencingUrl", "none")]
        let plan = try bench(Self.gated, given).book.plan(of: "Lobby-1")
        #expect(plan.asset?.pattern.resolve(at: someTime) == "doorAsset" && plan.asset?.cacheBytes == 200 << 20)
        #expect(plan.file?.pattern.resolve(at: someTime) == "Lobby-1-20210419T192249Z")
        #expect(plan.messageSources.map(\.inputName) == ["door"] && plan.source.username.isEmpty)
        #expect(plan.gate?.offset == .seconds(-5))
        let topology = try Topology(BookBench.json(Self.gated), at: someTime)
        let bare: JSONValue = [
            "@apiVersion": "2.0", "name": "a",
            "properties": [
                "topologyName": "DoorEvents",
                "parameters": [
                    ["name": "rtspUrl", "value": "rtsp://a"], ["name": "hubSourceInput", "value": "door"],
                ],
            ],
        ]
        let error = graphError { () throws(GraphError) in try Instance(bare, topology: { _ in topology }, at: someTime)
        }
        #expect(error?.details.map(\.code) == ["ParameterValueRequired"])
        #expect(error?.details.first?.message.contains("inferencingUrl") == true)
    }
}
