import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// What an instance is to do, with everything put in; and what this engine does not do.
@Suite("plans")
struct RecordingPlanTests {
    private func plan(
        _ folder: String, _ form: Form = .v2, _ changes: [(String, JSONValue?)] = [],
        values: [JSONValue] = [["name": "rtspUrl", "value": "rtsp://10.0.0.21:554/stream1"]]
    ) throws -> RecordingPlan {
        let graph = SampleGraph.named(folder)
        let payload = changes.reduce(graph.payload(form)) { $0.setting("properties." + $1.0, $1.1) }
        let topology = try Topology(payload, at: someTime)
        let given = graph.instance(form).setting("properties.parameters", .array(values))
        return try RecordingPlan.make(try Instance(given, topology: { _ in topology }, at: someTime), of: topology)
    }

    /// Places of refusals, all of which are ModuleValidationErrors.
    private func refusals(_ folder: String, _ form: Form = .v2, _ changes: [(String, JSONValue?)]) throws -> [String] {
        let plan = try plan(folder, form, changes)
        #expect(plan.refusals.allSatisfy { $0.code == "ModuleValidationError" })
        #expect((plan.error == nil) == plan.refusals.isEmpty)
        return plan.refusals.compactMap(\.target)
    }

    @Test("continuous recording to an asset", arguments: Form.allCases)
    func continuous(form: Form) throws {
        let plan = try plan("cvr-asset", form)
        #expect(plan.instance == "Sample-Graph-1")
        #expect(plan.topology == "CVRToAMSAsset")
        #expect(plan.source.nodeName == "rtspSource")
        #expect(plan.source.url == Secret("rtsp://10.0.0.21:554/stream1"))
        #expect(plan.source.transport == .tcp)
        #expect(plan.source.username == Secret("dummyUserName"))
        #expect(plan.source.password == Secret("dummyPassword"))
        #expect(plan.asset?.nodeName == "assetSink")
        #expect(
            plan.asset?.pattern
                == NamePattern([.text("sampleAsset-"), .text("CVRToAMSAsset"), .text("-"), .text("Sample-Graph-1")]))
        #expect(plan.asset?.pattern.resolve(at: someTime) == "sampleAsset-CVRToAMSAsset-Sample-Graph-1")
        #expect(plan.asset?.segmentLength == .seconds(30))
        #expect(plan.asset?.cacheBytes == 2048 << 20)
        #expect(plan.file == nil && plan.gate == nil && plan.messageSources.isEmpty && plan.messageSinks.isEmpty)
        #expect(plan.takesVideo)
        #expect(plan.takesAudio == (form != .v2))
    }

    @Test("sound, too, where no selector keeps it out")
    func sound() throws {
        let plan = try plan("audio-video")
        #expect(plan.takesAudio && plan.takesVideo && plan.refusals.isEmpty)
    }

    @Test("recording to files by messages", arguments: Form.allCases)
    func files(form: Form) throws {
        let plan = try plan("evr-hubMessage-files", form)
        #expect(plan.source.url == Secret("rtsp://rtspsim:554/media/camera-300s.mkv"))
        #expect(plan.asset == nil)
        #expect(plan.file?.nodeName == "fileSink")
        #expect(plan.file?.directory == "/var/media")
        #expect(plan.file?.pattern.resolve(at: someTime) == "sampleFilesFromEVR-filesinkOutput-20210419T192249Z")
        #expect(plan.file?.maximumBytes == (form == .v2 ? 512 << 20 : nil))
        #expect(plan.gate?.nodeName == "signalGateProcessor")
        #expect(plan.gate?.evaluationWindow == .seconds(1))
        #expect(plan.gate?.offset == .zero)
        #expect(plan.gate?.minimum == .seconds(5))
        #expect(plan.gate?.maximum == .seconds(5))
        #expect(plan.messageSources.map(\.nodeName) == ["iotMessageSource"])
        #expect(plan.messageSources.map(\.inputName) == ["recordingTrigger"])
        #expect(plan.refusals.isEmpty)
    }

    @Test("asset and file behind one gate, and an IoT Hub sink beside them")
    func both() throws {
        let asset: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphAssetSink", "name": "asset",
            "inputs": [["nodeName": "signalGateProcessor"]], "assetNamePattern": "evr-${System.DateTime}",
            "localMediaCachePath": "/tmp", "localMediaCacheMaximumSizeMiB": 20, "segmentLength": "PT5M",
        ]
        let hub: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphIoTHubMessageSink", "name": "hub", "hubOutputName": "out",
            "inputs": [["nodeName": "signalGateProcessor"]],
        ]
        let plan = try plan("evr-hubMessage-files", .v2, [("sinks.1", asset), ("sinks.2", hub)])
        #expect(plan.refusals.isEmpty)
        #expect(plan.asset?.pattern.hasTime == true)
        #expect(plan.asset?.pattern.resolve(at: someTime) == "evr-20210419T192249Z")
        #expect(plan.asset?.segmentLength == .seconds(300))
        #expect(plan.asset?.cacheBytes == 20 << 20)
        #expect(plan.messageSinks.map(\.outputName) == ["out"])
        #expect(!plan.takesAudio && plan.takesVideo)
    }

    @Test("what API 1.0 leaves out has a default")
    func defaults() throws {
        let asset = try plan(
            "cvr-asset", .v1,
            [
                ("sinks.0.assetNamePattern", nil), ("sinks.0.segmentLength", nil), ("sinks.0.localMediaCachePath", nil),
                ("sinks.0.localMediaCacheMaximumSizeMiB", nil),
                ("sources.0.endpoint.credentials", nil),
            ])
        #expect(asset.asset?.pattern.resolve(at: someTime) == "Sample-Graph-1")
        #expect(asset.asset?.segmentLength == .seconds(30))
        #expect(asset.asset?.cacheBytes == nil)
        #expect(asset.source.username.isEmpty && asset.source.password.isEmpty)
        let gate = "processors.0."
        let open = try plan(
            "evr-hubMessage-files", .v2,
            [
                (gate + "activationSignalOffset", nil), (gate + "minimumActivationTime", nil),
                (gate + "maximumActivationTime", nil), (gate + "activationEvaluationWindow", nil),
            ]
        ).gate
        #expect(open?.offset == .zero && open?.evaluationWindow == .seconds(1))
        #expect(open?.minimum == .seconds(30) && open?.maximum == .seconds(3600))
        let short = try plan("evr-hubMessage-files", .v2, [(gate + "minimumActivationTime", nil)]).gate
        #expect(short?.minimum == .seconds(5) && short?.maximum == .seconds(5))
    }

    @Test("a file's name has a time, or gets one: no recording is written over another")
    func timedFiles() throws {
        let first = try plan("evr-hubMessage-files", .v1, [("sinks.0.filePathPattern", "/var/media/fixed")])
        #expect(first.refusals.isEmpty)
        #expect(first.file?.pattern.resolve(at: someTime) == "fixed-20210419T192249Z")
        let name = "sinks.0.fileNamePattern"
        let second = try plan("evr-hubMessage-files", .v2, [(name, "${System.GraphInstanceName}")])
        #expect(second.file?.pattern.resolve(at: someTime) == "Sample-Graph-1-20210419T192249Z")
        let precise = try plan("evr-hubMessage-files", .v2, [(name, "${System.PreciseDateTime}")])
        #expect(precise.file?.pattern.resolve(at: someTime) == "20210419T192249.296Z")
        let long = JSONValue.string("${System.GraphInstanceName}" + String(repeating: "a", count: 180))
        #expect(try refusals("evr-hubMessage-files", .v2, [(name, long)]) == ["$.Properties.Sinks[0]"])
    }

    @Test("messages go out by the sinks that read the gate, and by no other")
    func messageSinks() throws {
        func hub(_ name: JSONValue, _ input: JSONValue) -> JSONValue {
            [
                "@type": "#Microsoft.Media.MediaGraphIoTHubMessageSink", "name": name, "hubOutputName": name,
                "inputs": [["nodeName": input]],
            ]
        }
        let both = try plan(
            "evr-hubMessage-files", .v2,
            [("sinks.1", hub("idle", "rtspSource")), ("sinks.2", hub("sends", "SIGNALgateProcessor"))])
        #expect(both.refusals.isEmpty && both.messageSinks.map(\.nodeName) == ["sends"])
        #expect(try plan("cvr-asset", .v2, [("sinks.1", hub("idle", "rtspSource"))]).messageSinks == [])
    }

    @Test("what the recorder's library would cut off or not open is refused")
    func addresses() throws {
        let endpoint = "sources.0.endpoint."
        let path = "$.Properties.Sources[0].Endpoint"
        for url: JSONValue in ["rtsp://kamera/ü", "rtsp://a?user=b@c"] {
            #expect(try refusals("cvr-asset", .v2, [(endpoint + "url", url)]) == [path + ".Url"], "\(url)")
        }
        #expect(try plan("cvr-asset", .v2, [(endpoint + "url", "rtsp://a/b?c=d@e")]).refusals.isEmpty)
        // libavformat has room for 127 bytes, percent-encoded, with the colon.
        for (username, password, isRight) in [
            (String(repeating: "u", count: 100), String(repeating: "p", count: 26), true),
            (String(repeating: "u", count: 100), String(repeating: "p", count: 27), false),
            ("u", String(repeating: "ü", count: 21), false), ("", String(repeating: "p", count: 200), true),
        ] {
            let found = try refusals(
                "cvr-asset", .v2,
                [
                    (endpoint + "credentials.username", .string(username)),
                    (endpoint + "credentials.password", .string(password)),
                ])
            #expect(found == (isRight ? [] : [path + ".Credentials"]))
        }
    }

    @Test("blanks around a URL, as LVA's own tutorials have them, are none of it")
    func blanks() throws {
        let value: JSONValue = ["name": "rtspUrl", "value": " rtsp://rtspsim:554/media/bulldozer.mkv\n"]
        let plan = try plan("cvr-asset", values: [value])
        #expect(plan.refusals.isEmpty && plan.source.url == Secret("rtsp://rtspsim:554/media/bulldozer.mkv"))
        for wrong: JSONValue in [" ftp://a/b", " rtsp://user:word@camera/1"] {
            #expect(throws: GraphError.self, "\(wrong)") {
                try self.plan("cvr-asset", values: [["name": "rtspUrl", "value": wrong]])
            }
        }
    }

    @Test("HTTP transport is a tunnel")
    func tunnel() throws {
        #expect(try plan("cvr-asset", .v2, [("sources.0.transport", "http")]).source.transport == .http)
    }

    @Test("what RTSP over TLS and headers would need is valid, and refused with the reason")
    func secure() throws {
        let endpoint: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphTlsEndpoint", "url": "rtsps://camera/1",
            "credentials": [
                "@type": "#Microsoft.Media.MediaGraphHttpHeaderCredentials", "headerName": "X", "headerValue": "Y",
            ],
            "trustedCertificates": [
                "@type": "#Microsoft.Media.MediaGraphPemCertificateList",
                "certificates": ["-----BEGIN CERTIFICATE-----"],
            ], "validationOptions": ["ignoreHostname": "true", "ignoreSignature": false],
        ]
        let path = "$.Properties.Sources[0].Endpoint"
        #expect(
            try refusals("cvr-asset", .v2, [("sources.0.endpoint", endpoint)])
                == [path, path + ".TrustedCertificates", path + ".ValidationOptions", path + ".Credentials"])
    }

    @Test("selectors choose sound and pictures; codecs cannot be chosen")
    func selectors() throws {
        let path = "sinks.0.inputs.0.outputSelectors"
        func selector(_ how: JSONValue, _ value: JSONValue) -> JSONValue {
            ["property": "mediaType", "operator": how, "value": value]
        }
        let cases: [(JSONValue, audio: Bool, video: Bool)] = [
            ([], true, true), ([selector("is", "audio")], true, false), ([selector("IS", "Video")], false, true),
            ([selector("isNot", "audio")], false, true), ([selector("isNot", "application")], true, true),
            ([selector("is", "audio"), selector("is", "video")], true, true),
            ([selector("isNot", "application/vnd.onvif.metadata")], true, true),
        ]
        for (selectors, audio, video) in cases {
            let plan = try plan("cvr-asset", .v2, [(path, selectors)])
            #expect(plan.takesAudio == audio && plan.takesVideo == video && plan.refusals.isEmpty, "\(selectors)")
        }
        for selectors: JSONValue in [
            [selector("is", "video/H264")], [selector("is", "application")], [selector("isNot", "audio/PCMU")],
            [selector("isNot", "audio"), selector("isNot", "video")],
        ] { #expect(try refusals("cvr-asset", .v2, [(path, selectors)]) == ["$.Properties.Sinks[0].Inputs"]) }
    }

    @Test("wirings that LVA allows and one recorder cannot do")
    func wirings() throws {
        let second: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphAssetSink", "name": "second", "inputs": [["nodeName": "rtspSource"]],
            "assetNamePattern": "a-${System.DateTime}", "localMediaCachePath": "/tmp",
            "localMediaCacheMaximumSizeMiB": "20",
        ]
        #expect(try refusals("audio-video", .v2, [("sinks.1", second)]) == ["$.Properties.Sinks[1]"])
        let mixed = try refusals("evr-hubMessage-files", .v2, [("sinks.1", second)])
        #expect(Set(mixed) == ["$.Properties.Sinks[1].Inputs"])
        #expect(
            try refusals("evr-hubMessage-files", .v2, [("sources.1", nil), ("processors.0.inputs.0", nil)])
                == ["$.Properties.Processors[0].Inputs"])
        #expect(
            try refusals("evr-hubMessage-files", .v2, [("sources.1.hubInputName", nil)])
                == ["$.Properties.Sources[1].HubInputName"])
        #expect(
            try refusals("evr-hubMessage-files", .v1, [("sinks.0.filePathPattern", "/var/${System.DateTime}/a")])
                == ["$.Properties.Sinks[0].FilePathPattern"])
        #expect(try refusals("cvr-asset", .v2, [("sinks", [])]) == ["$.Properties.Sources[0]"])
        #expect(
            try refusals("cvr-asset", .v2, [("sinks.0.assetNamePattern", "a b ${System.GraphInstanceName}")])
                == ["$.Properties.Sinks[0].AssetNamePattern"])
    }

    @Test("what a value breaks is an error, not a plan")
    func broken() throws {
        let graph = SampleGraph.named("cvr-asset")
        let topology = try Topology(graph.payload(.v2), at: someTime)
        let instance = try Instance(graph.instance(.v2), topology: { _ in topology }, at: someTime)
        let other = try Topology(
            graph.payload(.v2).setting("properties.sources.0.endpoint.url", "rtsp://${rtspUrl}"), at: someTime)
        let error = graphError { () throws(GraphError) in try RecordingPlan.make(instance, of: other) }
        #expect(error?.summary == ["EndpointUrlInvalid $.Properties.Sources[0].Endpoint.Url"])
    }
}
