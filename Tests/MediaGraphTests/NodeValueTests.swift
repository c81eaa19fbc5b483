import JSON
import MediaGraph
import TestSupport
import Testing

/// Ranges and forms of values, at their borders.
@Suite("values of nodes")
struct NodeValueTests {
    private static let base = SampleGraph.named("evr-motion-assets-files").payload(.v2)

    private func mistakes(_ path: String, _ value: JSONValue, of payload: JSONValue = base) -> [String] {
        let changed = payload.setting("properties." + path, value)
        return graphError { () throws(GraphError) in try Topology(changed, at: someTime) }?.summary ?? []
    }

    /// The code of the one mistake at this property; nil when the value is right.
    private func code(_ path: String, _ value: JSONValue, of payload: JSONValue = base) -> String? {
        let found = mistakes(path, value, of: payload)
        #expect(found.count <= 1)
        return found.first.map { String($0.prefix { $0 != " " }) }
    }

    @Test("a segment is 30 s to 5 min long, in steps of 30 s")
    func segmentLength() {
        for right: JSONValue in ["PT30S", "PT0M30S", "PT1M", "PT5M", "PT300S", "PT1M30.000S"] {
            #expect(code("sinks.0.segmentLength", right) == nil)
        }
        for wrong: JSONValue in ["PT29S", "PT31S", "PT45S", "PT5M30S", "-PT30S", "P1D", "0", 0] {
            #expect(code("sinks.0.segmentLength", wrong) == "PropertyValueOutOfRange")
        }
        for bad: JSONValue in ["", "30", "PT", "30 seconds", 30] {
            #expect(code("sinks.0.segmentLength", bad) == "PropertyValueInvalidFormat")
        }
    }

    @Test("a gate's times are in LVA's ranges, and may be left to the box")
    func gate() {
        let ranges: [(name: String, right: [JSONValue], wrong: [JSONValue])] = [
            ("activationEvaluationWindow", ["0", 0, "PT0S", "PT10S"], ["-PT1S", "PT10.001S"]),
            ("activationSignalOffset", ["-PT1M", "PT1M", "-PT1.0S"], ["-PT61S", "PT2M"]),
            ("minimumActivationTime", ["PT1S", "PT30S"], ["PT0S", "PT3601S"]),
            ("maximumActivationTime", ["PT30S", "PT60M"], ["PT0.5S", "P1D"]),
        ]
        for range in ranges {
            let path = "processors.1.\(range.name)"
            for value in range.right { #expect(code(path, value) == nil, "\(range.name) \(value)") }
            for value in range.wrong { #expect(code(path, value) == "PropertyValueOutOfRange", "\(range.name)") }
            #expect(code(path, .null) == nil)
        }
    }

    @Test("a gate's minimum is no greater than its maximum, also with an instance's values in")
    func gateTimes() throws {
        let path = "$.Properties.Processors[1].MinimumActivationTime"
        #expect(mistakes("processors.1.minimumActivationTime", "PT31S") == ["GraphValidationError \(path)"])
        let open = Self.base.setting("properties.processors.1.minimumActivationTime", "${assetName}")
        let topology = try Topology(open, at: someTime)
        let graph = SampleGraph.named("evr-motion-assets-files")
        for (value, mistake) in [("PT30S", []), ("PT31S", ["GraphValidationError \(path)"])] as [(JSONValue, [String])]
        {
            let given = graph.instance(.v2).setting(
                "properties.parameters.1", ["name": "assetName", "value": value])
            let error = graphError { () throws(GraphError) in
                try Instance(given, topology: { _ in topology }, at: someTime)
            }
            #expect(error?.summary ?? [] == mistake)
        }
    }

    @Test("what goes into a header of a protocol is one line")
    func lines() {
        let credentials = "sources.0.endpoint.credentials."
        for name in ["username", "password"] {
            for wrong: JSONValue in ["a\r\nX: y", "a\u{0}", "\u{7F}${rtspUrl}", "\u{85}"] {
                #expect(code(credentials + name, wrong) == "PropertyValueInvalidFormat", "\(name)")
            }
            #expect(code(credentials + name, "ä b:@/%") == nil)
        }
        let header: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphHttpHeaderCredentials", "headerName": "X", "headerValue": "Y",
        ]
        let payload = Self.base.setting("properties.sources.0.endpoint.credentials", header)
        for name in ["headerName", "headerValue"] {
            #expect(code(credentials + name, "a\nb", of: payload) == "PropertyValueInvalidFormat")
        }
    }

    @Test("sizes are whole numbers of MiB, as text or bare")
    func sizes() {
        for path in ["sinks.0.localMediaCacheMaximumSizeMiB", "sinks.1.maximumSizeMiB"] {
            for right: JSONValue in ["1", 1, " 2048 ", 2048, 1_073_741_824] { #expect(code(path, right) == nil) }
            for wrong: JSONValue in ["0", -1, "9223372036854775807"] {
                #expect(code(path, wrong) == "PropertyValueOutOfRange")
            }
            for bad: JSONValue in ["2048 MiB", "", 1.5, true, "99999999999999999999", "1e3"] {
                #expect(code(path, bad) == "PropertyValueInvalidFormat", "\(bad)")
            }
        }
    }

    @Test("an asset's name keeps out what LVA's expression does")
    func assetNames() {
        let path = "sinks.0.assetNamePattern"
        for right: JSONValue in [
            "a-${System.DateTime}", "${System.GraphInstanceName}", "${System.PipelineName}",
            "ä b-${System.TopologyName}", "fixed", "${assetName}",
            .string(String(repeating: "a", count: 244) + "${System.Runtime.DateTime}"),
        ] { #expect(code(path, right) == nil, "\(right)") }
        for character in #"<>%&:\/?*+.'"# {
            #expect(code(path, .string("a\(character)-${System.DateTime}")) == "PropertyValueInvalidPattern")
        }
        for wrong: JSONValue in [
            "a-${System.PreciseDateTime}", .string(String(repeating: "a", count: 245) + "${System.DateTime}"), "",
        ] { #expect(code(path, wrong) == "PropertyValueInvalidPattern", "\(wrong)") }
        let first = SampleGraph.named("evr-motion-assets-files").payload(.v1)
        #expect(code(path, "fixed", of: first) == nil)
        #expect(code(path, "part/${assetName}", of: first) == "PropertyValueInvalidPattern")
    }

    @Test("files lie in absolute directories, under names of their own")
    func files() {
        for right: JSONValue in ["/var/media", "/var/media/", "/", "/a b/ü"] {
            #expect(code("sinks.1.baseDirectoryPath", right) == nil)
        }
        for wrong: JSONValue in ["", "var/media", "/var/../etc", "/var/./media", "C:\\media", "/a\u{0}b", "/.."] {
            #expect(code("sinks.1.baseDirectoryPath", wrong) == "PropertyValueInvalidFormat")
            #expect(code("sinks.0.localMediaCachePath", wrong) == nil)
        }
        for wrong: JSONValue in ["a/${System.DateTime}", "", "a\n${System.DateTime}"] {
            #expect(code("sinks.1.fileNamePattern", wrong) == "PropertyValueInvalidPattern")
        }
        for (length, expected) in [(184, nil), (185, "PropertyValueInvalidPattern")] {
            let name = String(repeating: "a", count: length) + "${System.DateTime}"
            #expect(code("sinks.1.fileNamePattern", .string(name)) == expected, "\(length)")
        }
        #expect(code("sinks.1.fileNamePattern", ".hidden-${System.DateTime}") == "PropertyValueInvalidPattern")
        #expect(code("sinks.1.fileNamePattern", "fixed") == "SystemVariableRequired")
        let first = SampleGraph.named("evr-motion-assets-files").payload(.v1)
        for right: JSONValue in ["/var/media/fixed", "/a-${System.PreciseDateTime}"] {
            #expect(code("sinks.1.filePathPattern", right, of: first) == nil)
        }
        for wrong: JSONValue in ["a-${System.DateTime}", "/var/media/", "/var/../a", ""] {
            #expect(code("sinks.1.filePathPattern", wrong, of: first) == "PropertyValueInvalidPattern")
        }
    }

    @Test("a camera's URL is rtsp with a host, and holds no password")
    func urls() {
        let path = "sources.0.endpoint.url"
        for right: JSONValue in [
            "rtsp://camera", "RTSP://10.0.0.21:554/a?b=c@d", "rtsp://[fe80::1]:8554/x", "rtsp://a:1",
        ] {
            #expect(code(path, right) == nil, "\(right)")
        }
        for wrong: JSONValue in ["http://camera", "rtsps://camera", "camera", "", "://", "rtsp:/camera", "rtsp//x"] {
            #expect(code(path, wrong) == "RtspEndpointUrlInvalidScheme", "\(wrong)")
        }
        for bad: JSONValue in [
            "rtsp://", "rtsp:///a", "rtsp://a b", "rtsp://a:0", "rtsp://a:65536", "rtsp://a:b/", "rtsp://[a",
            "rtsp://u:p@a",
            "rtsp://u@a/b", "rtsp://[]:1",
        ] { #expect(code(path, bad) == "EndpointUrlInvalid", "\(bad)") }
        let secure = Self.base.setting(
            "properties.sources.0.endpoint.@type", "#Microsoft.Media.MediaGraphTlsEndpoint")
        #expect(code(path, "rtsps://camera", of: secure) == nil)
        #expect(code(path, "rtsp://camera", of: secure) == nil)
        #expect(code(path, "https://camera", of: secure) == "RtspEndpointUrlInvalidScheme")
    }

    @Test("enumerated values, numbers and booleans of nodes that do not run are checked, too")
    func others() {
        let graph = SampleGraph.named("motion-with-grpcExtension")
        let payload = graph.payload(.v2)
        let checks: [(path: String, right: [JSONValue], wrong: JSONValue)] = [
            ("processors.0.sensitivity", ["low", "High", "${motionSensitivity}"], "extreme"),
            ("processors.0.outputMotionRegion", [true, "false", "True"], "yes"),
            ("processors.0.eventAggregationWindow", ["0", "PT1S", "P9D"], "-PT1S"),
            ("processors.2.image.scale.mode", ["pad", "Stretch", "preserveaspectratio"], "zoom"),
            ("processors.2.image.scale.width", [416, "416"], "0"),
            ("processors.2.image.format.quality", [0, "100"], 101),
            ("processors.2.dataTransfer.mode", ["embedded", "SharedMemory"], "pigeon"),
            ("processors.2.dataTransfer.SharedMemorySizeMiB", ["5", 5], 0),
            ("processors.2.samplingOptions.maximumSamplesPerSecond", ["0.5", 20], 0),
            ("processors.2.samplingOptions.skipSamplesWithoutAnnotation", ["true", false], "maybe"),
            ("sources.0.transport", ["tcp", "Http"], "udp"),
        ]
        for check in checks {
            for value in check.right { #expect(code(check.path, value, of: payload) == nil, "\(check.path) \(value)") }
            #expect(code(check.path, check.wrong, of: payload) != nil, "\(check.path)")
        }
        let first = graph.payload(.v1)
        for right: JSONValue in ["1.0", 10, 0.1] { #expect(code("processors.1.maximumFps", right, of: first) == nil) }
        for wrong: JSONValue in ["0", "nan", "inf", "0x10", "fast", -1] {
            #expect(code("processors.1.maximumFps", wrong, of: first) != nil, "\(wrong)")
        }
    }
}
