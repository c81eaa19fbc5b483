import Recording
import Testing
import YAMLConfiguration

@Suite("Configuration: gateway")
struct GatewayConfigurationTests {
    private func gateway(_ text: String) throws -> GatewayConfiguration? {
        try box("store: { url: file:///s }\nsite: plant\ngateway: \(text)\n").gateway
    }

    private func found(_ text: String) -> [String] {
        mistakes("store: { url: file:///s }\ngateway: \(text)\n")
    }

    @Test("a box that says nothing has none; tokens alone answer this host")
    func defaults() throws {
        #expect(try box("store: { url: file:///s }").gateway == nil)
        let rest = try #require(try gateway("{ tokens: [lva] }"))
        #expect(rest.listen?.description == "127.0.0.1:8481" && rest.tokens == ["lva"] && rest.broker == nil)
        let quiet = try #require(try gateway("{ mqtt: { url: mqtts://b } }"))
        #expect(quiet.listen == nil)
        let broker = try #require(quiet.broker)
        #expect(broker.host == "b" && broker.port == 8883 && broker.isTLS)
        #expect(broker.device == "plant7", "of two boxes of one site each has its own")
        #expect(broker.module == "cvr" && broker.username == nil)
        #expect(broker.operationalOutput == "AmsOperational" && broker.diagnosticsOutput == "AmsDiagnostics")
    }

    @Test("tokens, webhooks and a broker are read")
    func whole() throws {
        let all = try #require(
            try gateway(
                """
                { listen: "0.0.0.0:8481", tls: { certificate: /c.pem, key: k }, tokens: [a, /p/b],
                  webhooks: { vms: { url: "https://h:1/p?q=1", header: aeg-sas-key, credential: c, certificateAuthority: /ca } },
                  mqtt: { url: "mqtt://[::1]:1884/", device: d, module: m, username: u, credential: p,
                          operationalEventsOutputName: "", diagnosticsEventsOutputName: diag } }
                """))
        #expect(all.listen?.isLoopback == false && all.tls?.key == "k" && all.tokens == ["a", "/p/b"])
        let webhook = try #require(all.webhooks["vms"])
        #expect(webhook.url == "https://h:1/p?q=1" && webhook.header == "aeg-sas-key" && webhook.credential == "c")
        #expect(webhook.certificateAuthority == "/ca")
        let broker = try #require(all.broker)
        #expect(broker.host == "::1" && broker.port == 1884 && !broker.isTLS && broker.device == "d")
        #expect(broker.operationalOutput.isEmpty && broker.diagnosticsOutput == "diag" && broker.credential == "p")
    }

    @Test(
        "what would be open, or promise what nothing keeps, is refused with the key and the next step",
        arguments: [
            ("{}", "serves nobody"), ("{ listen: 127.0.0.1:1 }", "add tokens"),
            ("{ tokens: [] }", "add tokens"), ("{ tokens: [a], listen: \"0.0.0.0:1\" }", "add tls"),
            ("{ tokens: [a, \"a b\"] }", "not the name of a credential"),
            ("{ webhooks: { a: { url: ftp://h } } }", "https://"), ("{ webhooks: { a: {} } }", "is missing"),
            ("{ webhooks: { \"a b\": { url: https://h } } }", "not a webhook's name"),
            ("{ webhooks: { a: { url: https://u:p@h/ } } }", "credential"),
            ("{ webhooks: { a: { url: http://h/, credential: c } } }", "unencrypted"),
            ("{ webhooks: { a: { url: https://h/, header: \"A: b\" } } }", "not a header's name"),
            ("{ mqtt: {} }", "is missing"), ("{ mqtt: { url: tcp://b } }", "mqtts://"),
            ("{ mqtt: { url: mqtts://u@b } }", "username"),
            ("{ mqtt: { url: mqtts://b, username: u } }", "belong together"),
            ("{ mqtt: { url: mqtts://b, device: a/b } }", "not a name"),
            ("{ mqtt: { url: mqtts://b, module: \"#\" } }", "not a name"),
            ("{ mqtt: { url: mqtt://b, certificateAuthority: /ca } }", "proves nothing"),
            ("{ mqtt: { url: mqtt://b, username: u, credential: p } }", "unencrypted"),
            ("{ mqtt: { url: \"mqtt://10.0.0.7:1884\", username: u, credential: p } }", "unencrypted"),
            (
                "{ mqtt: { url: mqtts://b, operationalEventsOutputname: x } }",
                "did you mean operationalEventsOutputName"
            ),
        ])
    func refused(text: String, words: String) {
        let found = found(text)
        #expect(found.count == 1 && found.first?.contains(words) == true, "\(text): \(found)")
        #expect(!found.joined().contains("u:p"), "a URL is never quoted (I10)")
    }

    @Test(
        "a broker of this host may have a password in the clear", arguments: ["localhost", "127.0.0.1:1884", "[::1]"])
    func loopback(host: String) throws {
        let broker = try gateway("{ mqtt: { url: \"mqtt://\(host)\", username: u, credential: p } }")?.broker
        #expect(broker?.credential == "p" && broker?.isTLS == false)
    }

    @Test("no camera is called like the directory of cvr-gateway")
    func name() {
        let found = mistakes("store: { url: file:///s }\ncameras: { gateway: { url: rtsp://h/ } }\n")
        #expect(found == ["cvr.yaml:2: cameras.gateway: is the name of cvr-gateway's directory; choose another"])
    }
}
