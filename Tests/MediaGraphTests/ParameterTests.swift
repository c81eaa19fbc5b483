import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// Declarations, references and values of parameters.
@Suite("parameters")
struct ParameterTests {
    private static let base = SampleGraph.named("cvr-asset").payload(.v2)

    private func declaring(_ declarations: JSONValue...) -> JSONValue {
        guard case .array(let given) = Self.base["properties"]?["parameters"] else { return .null }
        return Self.base.setting("properties.parameters", .array(given + declarations))
    }

    private func mistakes(_ payload: JSONValue) -> [String] {
        graphError { () throws(GraphError) in try Topology(payload, at: someTime) }?.summary ?? []
    }

    private func mistakes(_ values: JSONValue, of topology: Topology, form: Form = .v2) -> [String] {
        let payload = SampleGraph.named("cvr-asset").instance(form).setting("properties.parameters", values)
        return graphError { () throws(GraphError) in
            try Instance(payload, topology: { _ in topology }, at: someTime)
        }?.summary ?? []
    }

    @Test("a declaration has a name, one of five types, and a default that is of it")
    func declarations() {
        let path = "$.Properties.Parameters[12]"
        let name64 = JSONValue.string(String(repeating: "n", count: 64))
        let right: [JSONValue] = [
            ["name": name64, "type": "String"], ["name": "a", "type": "secretSTRING", "default": 5],
            ["name": "a", "type": "Int", "default": "-2147483648"], ["name": "a", "type": "Int", "default": 7],
            ["name": "a", "type": "Double", "default": "1.5e3"], ["name": "a", "type": "Bool", "default": true],
            ["name": "a", "type": "Bool", "default": "False"], ["name": "a", "type": "String", "default": "${b"],
            ["name": "a", "type": "String", "default": .null],
        ]
        for declaration in right { #expect(mistakes(declaring(declaration)) == [], "\(declaration)") }
        let wrong: [(JSONValue, String)] = [
            (["type": "String"], "PropertyRequired \(path).Name"), (["name": "a"], "PropertyRequired \(path).Type"),
            (["name": "a", "type": "Text"], "PropertyValueNotSupported \(path).Type"),
            (["name": "", "type": "String"], "PropertyValueInvalidPattern \(path).Name"),
            (
                ["name": .string(String(repeating: "n", count: 65)), "type": "String"],
                "PropertyValueInvalidPattern \(path).Name"
            ), (["name": "RTSPurl", "type": "String"], "ParameterNameNotUnique \(path).Name"),
            (["name": "System.DateTime", "type": "String"], "ParameterNameReserved \(path).Name"),
            (["name": "system.anything", "type": "String"], "ParameterNameReserved \(path).Name"),
            (["name": "a", "type": "Int", "default": "2147483648"], "ParameterValueInvalid \(path).Default"),
            (["name": "a", "type": "Int", "default": 1.5], "ParameterValueInvalid \(path).Default"),
            (["name": "a", "type": "Double", "default": "inf"], "ParameterValueInvalid \(path).Default"),
            (["name": "a", "type": "Bool", "default": "1"], "ParameterValueInvalid \(path).Default"),
            (["name": "a", "type": "String", "default": []], "PropertyValueInvalidType \(path).Default"),
            ("a", "PropertyValueInvalidType \(path)"),
        ]
        for (declaration, mistake) in wrong { #expect(mistakes(declaring(declaration)) == [mistake]) }
    }

    @Test("a reference is to what is declared, or to what the box knows, where it may be")
    func references() {
        let url = "properties.sources.0.endpoint.url"
        let target = "$.Properties.Sources[0].Endpoint.Url"
        #expect(mistakes(Self.base.setting(url, "rtsp://${rtspUrl}/${System.GraphInstanceName}")) == [])
        #expect(mistakes(Self.base.setting(url, "rtsp://${nobody}")) == ["ParameterNotDeclared \(target)"])
        #expect(mistakes(Self.base.setting(url, "rtsp://${RTSPURL}/${SYSTEM.graphinstancename}")) == [])
        #expect(mistakes(Self.base.setting(url, "${System.Wrong}")) == ["ParameterNotDeclared \(target)"])
        #expect(mistakes(Self.base.setting(url, "${a${rtspUrl}}")) == ["ParameterNotDeclared \(target)"])
        #expect(mistakes(Self.base.setting(url, "${}")) == ["ParameterNotDeclared \(target)"])
        #expect(mistakes(Self.base.setting(url, "rtsp://${rtspUrl")) == ["ParameterReferenceInvalid \(target)"])
        #expect(mistakes(Self.base.setting(url, "rtsp://a/$b/{c}/$")) == [])
        #expect(
            mistakes(Self.base.setting(url, "rtsp://a/${System.DateTime}")) == ["SystemVariableNotAllowed \(target)"])
    }

    @Test("a SecretString is for what is not shown")
    func secretPlaces() {
        let payload = declaring(["name": "hidden", "type": "SecretString"])
        for path in ["endpoint.url", "endpoint.credentials.username", "endpoint.credentials.password"] {
            #expect(mistakes(payload.setting("properties.sources.0.\(path)", "${hidden}")) == [])
        }
        for path in ["assetNamePattern", "localMediaCachePath", "segmentLength"] {
            let found = mistakes(payload.setting("properties.sinks.0.\(path)", "${hidden}${System.DateTime}"))
            #expect(found.first?.hasPrefix("ParameterTypeNotAllowed") == true, "\(path)")
        }
    }

    @Test("an instance gives what is declared, as its type has it, and nothing else")
    func values() throws {
        let topology = try Topology(
            declaring(
                ["name": "count", "type": "Int", "default": "1"], ["name": "ratio", "type": "Double", "default": "1"],
                ["name": "flag", "type": "Bool", "default": "true"]), at: someTime)
        let url: JSONValue = ["name": "rtspUrl", "value": "rtsp://a"]
        func found(_ values: JSONValue...) -> [String] { mistakes(.array([url] + values), of: topology) }
        for right: JSONValue in [
            ["name": "count", "value": "-5"], ["name": "count", "value": 5], ["name": "ratio", "value": 0.5],
            ["name": "flag", "value": false], ["name": "flag", "value": "FALSE"], ["name": "count"],
            ["name": "rtspUserName", "value": 7],
        ] { #expect(found(right) == [], "\(right)") }
        for wrong: JSONValue in [
            ["name": "count", "value": "five"], ["name": "count", "value": "4294967296"],
            ["name": "ratio", "value": "nan"], ["name": "flag", "value": "on"],
        ] { #expect(found(wrong) == ["ParameterValueInvalid $.Properties.Parameters[1].Value"], "\(wrong)") }
        #expect(found(["name": "nobody", "value": ""]) == ["ParameterNotDeclared $.Properties.Parameters[1].Name"])
        #expect(found(url) == ["ParameterNameNotUnique $.Properties.Parameters[1].Name"])
        #expect(found(["value": "a"]) == ["PropertyRequired $.Properties.Parameters[1].Name"])
        #expect(found(["name": "count", "value": []]) == ["PropertyValueInvalidType $.Properties.Parameters[1].Value"])
        #expect(mistakes([], of: topology) == ["ParameterValueRequired $.Properties.Parameters"])
        #expect(mistakes([["name": "rtspUrl"]], of: topology) == ["ParameterValueRequired $.Properties.Parameters"])
        let first = mistakes([["name": "rtspUrl"]], of: topology, form: .v1)
        #expect(first.first == "PropertyRequired $.Properties.Parameters[0].Value")
    }

    @Test("what a value makes of the topology is checked, and names the parameter it came from")
    func consequences() throws {
        let topology = try Topology(Self.base, at: someTime)
        let payload = SampleGraph.named("cvr-asset").instance(.v2)
            .setting("properties.parameters.0.value", "http://camera")
        let error = try #require(
            graphError { () throws(GraphError) in try Instance(payload, topology: { _ in topology }, at: someTime) })
        #expect(error.summary == ["RtspEndpointUrlInvalidScheme $.Properties.Sources[0]"])
        #expect(error.details.first?.message.hasSuffix("The value comes from ${rtspUrl}.") == true)
    }

    @Test("names are the same in any case")
    func anyCase() throws {
        let topology = try Topology(Self.base, at: someTime)
        let given = SampleGraph.named("cvr-asset").instance(.v2).setting(
            "properties.parameters",
            [["name": "RTSPURL", "value": "rtsp://b"], ["name": "rtsppassword", "value": "c"]])
        let instance = try Instance(given, topology: { _ in topology }, at: someTime)
        #expect(instance.parameters.map(\.name) == ["rtspUrl", "rtspPassword"])
        let plan = try RecordingPlan.make(instance, of: topology)
        #expect(plan.source.url == Secret("rtsp://b") && plan.source.password == Secret("c"))
    }

    @Test("a value is text: what looks like a reference in it stays as it is")
    func noSecondRound() throws {
        let topology = try Topology(
            Self.base.setting(
                "properties.sources.0.endpoint.credentials.username", "<${rtspUserName}|${rtspPassword}>"),
            at: someTime)
        let payload = SampleGraph.named("cvr-asset").instance(.v2).setting(
            "properties.parameters.1", ["name": "rtspUserName", "value": "${rtspPassword}${System.DateTime}${"])
        let instance = try Instance(payload, topology: { _ in topology }, at: someTime)
        let plan = try RecordingPlan.make(instance, of: topology)
        #expect(plan.source.username == Secret("<${rtspPassword}${System.DateTime}${|dummyPassword>"))
    }
}
