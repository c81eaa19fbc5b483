import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// What is secret is in no listing and no message, and on disk only sealed (I10).
@Suite("secrets of graphs")
struct SecretTests {
    private static let word = "hunter2-s3cr3t"
    private static let graph = SampleGraph.named("cvr-asset")

    private func payload() -> JSONValue {
        Self.graph.payload(.v2).setting("properties.sources.0.endpoint.credentials.password", .string(Self.word))
            .setting(
                "properties.parameters.12", ["name": "hidden", "type": "SecretString", "default": .string(Self.word)])
    }

    @Test("literal passwords and defaults of SecretStrings are kept, and not shown")
    func topologies() throws {
        let topology = try Topology(payload(), at: someTime)
        let shown = topology.json(.hidden)
        #expect(!shown.text.contains(Self.word))
        #expect(!topology.json(.sealed(seal)).text.contains(Self.word))
        let expected = payload().setting("properties.sources.0.endpoint.credentials.password", nil)
            .setting("properties.parameters.12.default", nil)
        #expect(shown["properties"] == expected["properties"])
        let opened = try Topology(stored: topology.json(.sealed(seal)), open: unseal)
        #expect(opened == topology)
        let instance = try Instance(Self.graph.instance(.v2), topology: { _ in opened }, at: someTime)
        #expect(try RecordingPlan.make(instance, of: opened).source.password == Secret(Self.word))
        var text = ""
        dump(topology, to: &text)
        dump(instance, to: &text)
        #expect(!"\(topology) \(String(reflecting: topology)) \(text)".contains(Self.word))
    }

    @Test("values of header credentials are, too; references to parameters are shown")
    func headers() throws {
        let credentials: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphHttpHeaderCredentials", "headerName": "X-Key",
            "headerValue": .string(Self.word),
        ]
        let path = "properties.sources.0.endpoint.credentials"
        let topology = try Topology(Self.graph.payload(.v1).setting(path, credentials), at: someTime)
        #expect(!topology.json(.hidden).text.contains(Self.word))
        #expect(topology.json(.hidden).text.contains("X-Key"))
        let mixed = credentials.setting("headerValue", .string("${rtspPassword}\(Self.word)"))
        #expect(
            try !Topology(Self.graph.payload(.v1).setting(path, mixed), at: someTime).json(.hidden).text.contains(
                Self.word))
        let open = credentials.setting("headerValue", "${rtspUserName}${rtspPassword}")
        let shown = try Topology(Self.graph.payload(.v1).setting(path, open), at: someTime).json(.hidden)
        #expect(shown.text.contains("${rtspUserName}${rtspPassword}"))
    }

    @Test("an instance's values of SecretStrings are not shown, and reach the plan")
    func instances() throws {
        let topology = try Topology(
            payload().setting("properties.sources.0.endpoint.credentials.password", "${hidden}").setting(
                "properties.sources.0.endpoint.url", "${rtspUrl}"), at: someTime)
        let given = Self.graph.instance(.v2).setting(
            "properties.parameters.1", ["name": "hidden", "value": "other-s3cr3t"])
        let instance = try Instance(given, topology: { _ in topology }, at: someTime)
        #expect(!instance.json(.hidden).text.contains("s3cr3t"))
        #expect(
            instance.json(.hidden)["properties"]?["parameters"] == [
                ["name": "rtspUrl", "value": "rtsp://10.0.0.21:554/stream1"], ["name": "hidden"],
            ])
        #expect(!instance.json(.sealed(seal)).text.contains("s3cr3t"))
        #expect(try Instance(stored: instance.json(.sealed(seal)), open: unseal) == instance)
        let plan = try RecordingPlan.make(instance, of: topology)
        #expect(plan.source.password == Secret("other-s3cr3t"))
        #expect(!plan.source.isURLSecret)
        #expect(!"\(plan)".contains("s3cr3t"))
        let hidden = topology.json(.sealed(seal)).setting("properties.sources.0.endpoint.url", "rtsp://a/${hidden}")
            .setting("properties.sources.0.endpoint.credentials.username", "${hidden}")
        let all = try RecordingPlan.make(instance, of: try Topology(stored: hidden, open: unseal))
        #expect(all.source.url == Secret("rtsp://a/other-s3cr3t") && all.source.username == Secret("other-s3cr3t"))
        var text = ""
        dump(all, to: &text)
        #expect(!"\(all) \(text)".contains("s3cr3t"))
    }

    @Test("a URL out of a SecretString says so")
    func secretURL() throws {
        let topology = try Topology(
            payload().setting("properties.sources.0.endpoint.url", "rtsp://10.0.0.9/${hidden}"), at: someTime)
        let instance = try Instance(Self.graph.instance(.v2), topology: { _ in topology }, at: someTime)
        #expect(try RecordingPlan.make(instance, of: topology).source.isURLSecret)
    }

    @Test("a value becomes a secret when its topology says later that it is one")
    func later() throws {
        let password = "properties.sources.0.endpoint.credentials.password"
        let before = try Topology(Self.graph.payload(.v2).setting(password, "none"), at: someTime)
        let given = Self.graph.instance(.v2).setting(
            "properties.parameters.1", ["name": "assetName", "value": .string(Self.word)])
        var instance = try Instance(given, topology: { _ in before }, at: someTime)
        #expect(instance.json(.hidden).text.contains(Self.word))
        let after = try Topology(
            Self.graph.payload(.v2).setting("properties.parameters.11.type", "SecretString")
                .setting(password, "none"), at: someTime)
        instance.hideSecrets(of: after)
        #expect(!instance.json(.hidden).text.contains(Self.word))
        // A crash came between the topology and its instance.
        var book = GraphBook()
        book.restore(topology: after)
        book.restore(instance: try Instance(given, topology: { _ in before }, at: someTime))
        #expect(book.instance(instance.name) == instance)
    }

    @Test("a String that is a password is put into nothing that is shown, and no later topology changes that")
    func passwordShown() throws {
        var bench = BookBench()
        let payload = Self.graph.payload(.v2)
        #expect(bench.call("GraphTopologySet", payload) == "201")
        let given = Self.graph.instance(.v2).setting(
            "properties.parameters.1", ["name": "rtspPassword", "value": .string(Self.word)])
        #expect(bench.call("GraphInstanceSet", given) == "201")
        let name = "properties.sinks.0.assetNamePattern"
        let shown = payload.setting(name, "x-${RTSPPassword}-${System.GraphInstanceName}")
        #expect(bench.call("GraphTopologySet", shown) == "400 ParameterTypeNotAllowed")
        // Nor does it when the password itself refers to the parameter no more.
        let password = "properties.sources.0.endpoint.credentials.password"
        #expect(bench.call("GraphTopologySet", shown.setting(password, "other")) != "200")
        #expect(bench.reply?.text.contains(Self.word) == false)
    }

    @Test("a String that a password or a header value refers to is a secret of its instances", arguments: Form.allCases)
    func passwords(form: Form) throws {
        let payload = Self.graph.payload(form).setting("properties.parameters.1.default", .string(Self.word))
        let topology = try Topology(payload, at: someTime)
        // As its author wrote it; but not on disk.
        #expect(topology.json(.hidden)["properties"] == payload.renamed["properties"])
        #expect(!topology.json(.sealed(seal)).text.contains(Self.word))
        #expect(try Topology(stored: topology.json(.sealed(seal)), open: unseal) == topology)
        let given = Self.graph.instance(form).setting(
            "properties.parameters.1", ["name": "RTSPpassword", "value": "other-s3cr3t"])
        let instance = try Instance(given, topology: { _ in topology }, at: someTime)
        #expect(
            instance.json(.hidden)["properties"]?["parameters"]?.text.hasSuffix(#"{"name":"rtspPassword"}]"#) == true)
        #expect(!instance.json(.sealed(seal)).text.contains("s3cr3t"))
        #expect(try Instance(stored: instance.json(.sealed(seal)), open: unseal) == instance)
        #expect(try RecordingPlan.make(instance, of: topology).source.password == Secret("other-s3cr3t"))
        var text = ""
        dump(instance, to: &text)
        #expect(!"\(instance) \(text)".contains("s3cr3t"))
    }

    @Test("a header value's parameter, a number as a default, a URL with that in it, and a password that nothing uses")
    func otherPasswords() throws {
        let credentials: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphHttpHeaderCredentials", "headerName": "X-Key",
            "headerValue": "Bearer ${assetName}",
        ]
        let payload = Self.graph.payload(.v2).setting("properties.sources.0.endpoint.credentials", credentials)
            .setting("properties.sources.0.endpoint.url", "rtsp://a/${ASSETNAME}")
            .setting("properties.parameters.11.default", 271_828)
        let topology = try Topology(payload, at: someTime)
        let secrets = topology.parameters.filter(\.isSecret).map(\.name)
        #expect(secrets == ["rtspPassword", "assetName"], "\(secrets)")
        #expect(!topology.json(.sealed(seal)).text.contains("271828"))
        #expect(try Topology(stored: topology.json(.sealed(seal)), open: unseal) == topology)
        let instance = try Instance(Self.graph.instance(.v2), topology: { _ in topology }, at: someTime)
        let source = try RecordingPlan.make(instance, of: topology).source
        #expect(source.isURLSecret && source.url == Secret("rtsp://a/271828"))
    }

    @Test("no message tells a value")
    func messages() throws {
        var payload = payload()
        let word = JSONValue.string("\(Self.word) ${\(Self.word)}")
        for path in [
            "sources.0.endpoint.url", "sources.0.endpoint.credentials.password", "sinks.0.segmentLength",
            "sinks.0.assetNamePattern", "sinks.0.localMediaCacheMaximumSizeMiB", "sources.0.transport",
        ] {
            let value: JSONValue = path.hasSuffix("password") ? word : .string(Self.word + "%")
            payload = payload.setting("properties." + path, value)
        }
        let error = try #require(graphError { () throws(GraphError) in try Topology(payload, at: someTime) })
        #expect(error.details.count == 6)
        #expect(!error.payload.text.contains(Self.word))
    }

    @Test(
        "nor a part of one, where its author wrote it where none belongs",
        arguments: [
            ("url", "rtsp://admin:hun${ter2}@a/"), ("url", "rtsp://admin:hun/${ter2}@a/"),
            ("url", "rtsp://admin hun${ter2}@a/"), ("url", "ter2://a/"), ("credentials.password", "${ter2}"),
            ("credentials.password", "hun${ter2"), ("credentials.password", "ter2\n"),
        ])
    func misplaced(path: String, value: String) throws {
        let payload = Self.graph.payload(.v2).setting("properties.sources.0.endpoint." + path, .string(value))
        let error = try #require(graphError { () throws(GraphError) in try Topology(payload, at: someTime) })
        #expect(error.details.count == 1 && !error.payload.text.contains("ter2"))
    }

    @Test("a client cannot seal, and what cannot be opened is an error of its own")
    func seals() throws {
        // The password, a SecretString's default, and that of the password that nothing uses.
        let sealed = try Topology(payload(), at: someTime).json(.sealed(seal))
        let sent = try #require(graphError { () throws(GraphError) in try Topology(sealed, at: someTime) })
        #expect(sent.details.allSatisfy { $0.code == "PropertyValueInvalidType" } && sent.details.count == 3)
        struct NoKey: Error {}
        let lost = try #require(
            graphError { () throws(GraphError) in try Topology(stored: sealed, open: { _ in throw NoKey() }) })
        #expect(lost.details.map(\.code) == Array(repeating: "ResourceValidationError", count: 3))
    }
}
