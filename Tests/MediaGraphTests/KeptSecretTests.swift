import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// Who sets again what Get showed takes no secret away.
@Suite("secrets that are kept")
struct KeptSecretTests {
    private static let graph = SampleGraph.named("cvr-asset")
    private static let value = "properties.parameters.1"

    private func bench(_ form: Form = .v2, _ changes: [(String, JSONValue?)] = []) -> BookBench {
        var bench = BookBench()
        let payload = changes.reduce(Self.graph.payload(form)) { $0.setting("properties." + $1.0, $1.1) }
        #expect(bench.call("GraphTopologySet", payload) == "201")
        let given = Self.graph.instance(form).setting(
            Self.value, ["name": "rtspPassword", "value": "hunter2"])
        #expect(bench.call("GraphInstanceSet", given) == "201")
        return bench
    }

    private func shown(_ method: String, _ name: String, _ bench: inout BookBench) -> JSONValue {
        #expect(bench.call(method, named: name) == "200")
        #expect(bench.reply?.text.contains("hunter2") == false)
        return bench.reply?.payload ?? .null
    }

    private func password(_ bench: BookBench) throws -> Secret {
        try bench.book.plan(of: "Sample-Graph-1").source.password
    }

    @Test("get and set of an instance", arguments: Form.allCases)
    func instance(form: Form) throws {
        var bench = bench(form)
        let answer = shown("GraphInstanceGet", "Sample-Graph-1", &bench)
        #expect(bench.call("GraphInstanceSet", answer) == "200")
        #expect(try password(bench) == Secret("hunter2"))
        // Another value replaces it, the empty one too; without the parameter the default counts again.
        #expect(bench.call("GraphInstanceSet", answer.setting(Self.value + ".value", "")) == "200")
        #expect(try password(bench).isEmpty)
        #expect(bench.reply?.payload["properties"]?["parameters"]?.text.hasSuffix(#""value":""}]"#) == true)
        #expect(bench.call("GraphInstanceSet", answer.setting(Self.value, nil)) == "200")
        #expect(try password(bench) == Secret("dummyPassword"))
    }

    @Test("of a parameter without default, and not into another topology")
    func elsewhere() throws {
        var bench = bench(.v2, [("parameters.1.default", nil)])
        let answer = shown("GraphInstanceGet", "Sample-Graph-1", &bench)
        #expect(bench.call("GraphInstanceSet", answer) == "200")
        #expect(try password(bench) == Secret("hunter2"))
        let other = Self.graph.payload(.v2).setting("name", "Other").setting("properties.parameters.1.default", nil)
        #expect(bench.call("GraphTopologySet", other) == "201")
        #expect(
            bench.call("GraphInstanceSet", answer.setting("properties.topologyName", "Other"))
                == "400 ParameterValueRequired")
        // What is no secret has no value that is kept.
        let plain = answer.setting("properties.parameters.0.value", nil)
        #expect(bench.call("GraphInstanceSet", plain) == "400 ParameterValueRequired")
    }

    @Test(
        "get and set of a topology: a literal password, a header's value, a SecretString's default",
        arguments: Form.allCases)
    func topology(form: Form) throws {
        let credentials = "sources.0.endpoint.credentials"
        let hidden: JSONValue = ["name": "hidden", "type": "SecretString", "default": "hunter2-default"]
        var bench = bench(form, [(credentials + ".password", "hunter2-literal"), ("parameters.12", hidden)])
        let answer = shown("GraphTopologyGet", Self.graph.name, &bench)
        #expect(bench.call("GraphTopologySet", answer) == "200")
        #expect(try password(bench) == Secret("hunter2-literal"))
        let using = answer.setting("properties." + credentials + ".password", "${hidden}")
        #expect(bench.call("GraphTopologySet", using) == "200")
        #expect(try password(bench) == Secret("hunter2-default"))
        #expect(bench.call("GraphTopologySet", using.setting("properties.parameters.12.default", "")) == "200")
        #expect(try password(bench).isEmpty)
        #expect(
            bench.reply?.payload["properties"]?["parameters"]?.text.contains(#"{"default":"","name":"hidden""#) == true)
        let header: JSONValue = [
            "@type": "#Microsoft.Media.MediaGraphHttpHeaderCredentials", "headerName": "X",
            "headerValue": "hunter2-header",
        ]
        let other = answer.setting("properties." + credentials, header)
        #expect(bench.call("GraphTopologySet", other) == "200")
        let again = shown("GraphTopologyGet", Self.graph.name, &bench)
        #expect(bench.call("GraphTopologySet", again) == "200")
        // Of another kind of credentials nothing is kept.
        let back = again.setting(
            "properties." + credentials + ".@type", "#Microsoft.Media.MediaGraphUsernamePasswordCredentials"
        )
        .setting("properties." + credentials + ".username", "admin")
        #expect(bench.call("GraphTopologySet", back) == (form == .v2 ? "400 PropertyRequired" : "200"))
    }
}
