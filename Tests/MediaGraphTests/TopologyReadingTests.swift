import JSON
import MediaGraph
import TestSupport
import Testing

/// Every mistake of a topology is told, all at once, with LVA's codes and places.
@Suite("topologies with mistakes")
struct TopologyReadingTests {
    private static let base = SampleGraph.named("cvr-asset").payload(.v2)
    private static let gated = SampleGraph.named("evr-motion-assets-files").payload(.v2)

    private func mistakes(_ payload: JSONValue) throws -> [String] {
        let error = try #require(graphError { () throws(GraphError) in try Topology(payload, at: someTime) })
        #expect(error.status == 400)
        #expect(error.code == "InvalidResource")
        return error.summary
    }

    @Test("LVA's own example: scheme and asset name in one answer")
    func documentedExample() throws {
        let payload = Self.base.setting("properties.sources.0.endpoint.url", "http://10.0.0.21/stream1")
            .setting("properties.sinks.0.assetNamePattern", "a/b-${System.DateTime}")
        let error = try #require(graphError { () throws(GraphError) in try Topology(payload, at: someTime) })
        #expect(error.payload["error"]?["code"] == "InvalidResource")
        #expect(error.payload["error"]?["message"] == "The resource format is invalid.")
        #expect(
            error.summary == [
                "RtspEndpointUrlInvalidScheme $.Properties.Sources[0]",
                "PropertyValueInvalidPattern $.Properties.Sinks[0].AssetNamePattern",
            ])
        let scheme = "Uri scheme 'http' is not valid for an RTSP source endpoint. Valid values are: rtsp"
        #expect(error.details.first?.message.hasPrefix(scheme) == true)
        #expect(error.details.last?.message.contains(#"'^[^<>%&:\\/?*+.']{1,260}$'"#) == true)
    }

    @Test("versions are 1.0 and 2.0, and nothing else", arguments: ["", "1", "1.1", "2.0.0", "3.0"])
    func versions(text: String) throws {
        let values: [JSONValue?] = [.string(text), nil, 2.0, 1]
        for value in values {
            let payload = Self.base.setting("@apiVersion", value)
            let error = try #require(graphError { () throws(GraphError) in try Topology(payload, at: someTime) })
            #expect(error.status == 400 && error.code == "InvalidVersion")
        }
    }

    @Test(
        "names are letters, digits and dashes",
        arguments: ["", "-a", "a-", "a b", "a_b", "ä", "a/b", String(repeating: "a", count: 33)])
    func names(text: String) throws {
        #expect(try mistakes(Self.base.setting("name", .string(text))) == ["PropertyValueInvalidPattern $.Name"])
        #expect(try mistakes(Self.base.setting("name", nil)) == ["PropertyRequired $.Name"])
        _ = try Topology(Self.base.setting("name", .string(String(repeating: "a", count: 32))), at: someTime)
    }

    @Test("names of properties, types and enumerated values are matched in any case")
    func anyCase() throws {
        var payload = try JSONValue(
            parsing: Self.gated.text.replacing("\"properties\"", with: "\"PROPERTIES\"")
                .replacing("nodeName", with: "NodeName").replacing("@type", with: "@Type")
                .replacing("MediaGraphAssetSink", with: "mediagraphassetsink").replacing("isNot", with: "ISNOT")
                .replacing("mediaType", with: "MEDIATYPE").replacing("\"String\"", with: "\"string\""))
        #expect(try Topology(payload, at: someTime).nodes.count == 5)
        payload = Self.base.setting("properties.sources.0.transport", "HTTP")
        #expect(try Topology(payload, at: someTime).json(.hidden)["properties"]?["sources"] != nil)
    }

    @Test("null is nothing, and what LVA does not know is left out")
    func unknown() throws {
        let payload = Self.base.setting("properties.description", .null).setting("properties.colour", "red")
            .setting("properties.sinks.0.pasword", "oops").setting("properties.processors", .null)
        let topology = try Topology(payload, at: someTime)
        #expect(topology.description == nil)
        #expect(!topology.json(.hidden).text.contains("oops"))
    }

    @Test("what must be there is asked for, of 2.0 more than of 1.0")
    func required() throws {
        let second = Self.base.setting("properties.sinks.0.localMediaCachePath", nil)
            .setting("properties.sinks.0.localMediaCacheMaximumSizeMiB", nil)
            .setting("properties.sources.0.endpoint.credentials.password", nil)
        #expect(
            try mistakes(second) == [
                "PropertyRequired $.Properties.Sources[0].Endpoint.Credentials.Password",
                "PropertyRequired $.Properties.Sinks[0].LocalMediaCachePath",
                "PropertyRequired $.Properties.Sinks[0].LocalMediaCacheMaximumSizeMiB",
            ])
        _ = try Topology(second.setting("@apiVersion", "1.0"), at: someTime)
        #expect(
            try mistakes(Self.base.setting("properties.sources.0.endpoint", nil))
                == ["PropertyRequired $.Properties.Sources[0].Endpoint"])
        #expect(
            try mistakes(["@apiVersion": "2.0", "name": "a"]) == ["GraphValidationError $.Properties.Sources"])
        #expect(
            try mistakes(["@apiVersion": "2.0", "name": "a", "properties": [:]])
                == ["GraphValidationError $.Properties.Sources"])
    }

    @Test("what is wrong with the graph is told beside what is wrong with its values")
    func together() throws {
        let dangling = Self.base.setting("properties.sinks.0.inputs.0.nodeName", "nobody")
        let cache = "PropertyRequired $.Properties.Sinks[0].LocalMediaCacheMaximumSizeMiB"
        let input = "GraphValidationError $.Properties.Sinks[0].Inputs[0].NodeName"
        #expect(
            try mistakes(dangling.setting("properties.sinks.0.localMediaCacheMaximumSizeMiB", nil)) == [cache, input])
        let second: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphRtspSource", "name": "second",
            "endpoint": ["@type": "#Microsoft.Media.MediaGraphUnsecuredEndpoint", "url": "rtsp://a"],
        ]
        #expect(
            try mistakes(dangling.setting("properties.sources.1", second))
                == ["GraphValidationError $.Properties.Sources[1]", input])
        let motion: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphMotionDetectionProcessor", "name": "motion",
            "inputs": [["nodeName": "motion"]],
        ]
        #expect(
            try mistakes(dangling.setting("properties.processors", [motion])) == [
                input, "GraphValidationError $.Properties.Processors[0].Inputs",
            ])
    }

    @Test("and nothing is told of what follows from what could not be read")
    func unread() throws {
        for (path, value, mistake) in [
            ("sources.0.@type", "#Microsoft.Media.Camera", "NodeTypeNotSupported $.Properties.Sources[0]"),
            ("sources", "none", "PropertyValueInvalidType $.Properties.Sources"),
            ("sources.0", 7, "PropertyValueInvalidType $.Properties.Sources[0]"),
            ("sources.0.name", 7, "PropertyValueInvalidType $.Properties.Sources[0].Name"),
            ("sinks.0.inputs.0.nodeName", 7, "PropertyValueInvalidType $.Properties.Sinks[0].Inputs[0].NodeName"),
            ("sinks.0.name", nil, "PropertyRequired $.Properties.Sinks[0].Name"),
        ] as [(String, JSONValue?, String)] {
            let found = try mistakes(Self.base.setting("properties." + path, value))
            #expect(found.first == mistake && found.count <= 2, "\(found)")
            #expect(found.allSatisfy { $0 == mistake || $0.hasSuffix("Inputs[0].NodeName") }, "\(found)")
        }
    }

    @Test("a file sink is written as its version has it")
    func fileSinks() throws {
        let first = SampleGraph.named("evr-hubMessage-files").payload(.v1)
        #expect(
            try mistakes(first.setting("@apiVersion", "2.0")) == [
                "PropertyRequired $.Properties.Sinks[0].BaseDirectoryPath",
                "PropertyRequired $.Properties.Sinks[0].FileNamePattern",
                "PropertyRequired $.Properties.Sinks[0].MaximumSizeMiB",
            ])
        let second = SampleGraph.named("evr-hubMessage-files").payload(.v2)
        #expect(
            try mistakes(second.setting("@apiVersion", "1.0"))
                == ["PropertyRequired $.Properties.Sinks[0].FilePathPattern"])
    }

    @Test("the frame rate filter is of 1.0 alone, and a node is of its list")
    func nodeTypes() throws {
        let filtered = SampleGraph.named("httpExtension").payload(.v1).setting("@apiVersion", "2.0")
        #expect(try mistakes(filtered) == ["NodeTypeNotSupported $.Properties.Processors[0]"])
        let misplaced = Self.base.setting("properties.sinks.0.@type", "#Microsoft.Media.MediaGraphRtspSource")
        #expect(try mistakes(misplaced) == ["NodeTypeNotSupported $.Properties.Sinks[0]"])
        let endpoint = Self.base.setting("properties.sources.0.endpoint.@type", "#Microsoft.Media.Endpoint")
        #expect(try mistakes(endpoint) == ["PropertyValueNotSupported $.Properties.Sources[0].Endpoint"])
    }

    @Test("kinds of values are those of the schema")
    func kinds() throws {
        #expect(
            try mistakes(Self.base.setting("properties.sources", "none"))
                == ["PropertyValueInvalidType $.Properties.Sources"])
        #expect(
            try mistakes(Self.base.setting("properties.sinks.0.assetNamePattern", 7))
                == ["PropertyValueInvalidType $.Properties.Sinks[0].AssetNamePattern"])
        #expect(
            try mistakes(Self.base.setting("properties.sinks.0.inputs", ["rtspSource"]))
                == ["PropertyValueInvalidType $.Properties.Sinks[0].Inputs[0]"])
    }

    @Test("lists have a bound, and so has an answer")
    func bounds() throws {
        let many = JSONValue.array((0...100).map { ["name": .string("p\($0)"), "type": "String"] })
        let long = Self.base.setting("properties.parameters", many)
        #expect(try mistakes(long).first == "PropertyValueOutOfRange $.Properties.Parameters")
        let inputs = JSONValue.array((0...100).map { _ in ["nodeName": "rtspSource"] })
        #expect(
            try mistakes(Self.base.setting("properties.sinks.0.inputs", inputs))
                == ["PropertyValueOutOfRange $.Properties.Sinks[0].Inputs"])
        let wrong = JSONValue.array((0..<100).map { _ in [:] })
        let payload = Self.base.setting("properties.sinks", wrong).setting("properties.processors", wrong)
        #expect(try mistakes(payload).count == 100)
        #expect(try mistakes(payload.setting("properties.parameters", wrong)).count == 100)
    }
}
