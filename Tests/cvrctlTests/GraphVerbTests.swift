import Foundation
import JSON
import Messages
import Testing

@Suite("cvrctl: graph", .timeLimit(.minutes(1)))
struct GraphVerbTests {
    static func json(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    static let instance =
        #"{"name":"Front","systemData":{},"properties":{"state":"Active","topologyName":"CVRToAMSAsset"}}"#

    /// What cvrctl prints when this is answered, and what it asked.
    static func asked(
        _ status: Int64, _ payload: String, _ arguments: String..., input: String = ""
    ) async throws -> (ScriptedCvrd.Outcome, [String]) {
        let reply = GraphReply(status: status, payload: try json(payload))
        return try await ScriptedCvrd.run(answering: reply) { cvrd in
            let outcome = try await ScriptedCvrd.cvrctl(
                arguments, input: input, environment: ["CVR_SOCKET": cvrd.socket, "COLUMNS": "120"])
            return (outcome, cvrd.log.calls)
        }
    }

    @Test(
        "each verb calls its direct method, and says what was done",
        arguments: [
            ("topology get T", "TopologyGet", 200, #"{"name":"T"}"#, "{\n  \"name\": \"T\"\n}\n"),
            ("topology delete T", "TopologyDelete", 200, "null", "Topology T deleted.\n"),
            ("topology delete T", "TopologyDelete", 204, "null", "There is no topology T.\n"),
            ("instance get T", "InstanceGet", 200, "{}", "{}\n"),
            ("instance delete T", "InstanceDelete", 200, "null", "Instance T deleted.\n"),
            ("instance delete T", "InstanceDelete", 204, "null", "There is no instance T.\n"),
            ("instance activate T", "InstanceActivate", 200, "null", "Instance T is active. Watch it: cvrctl status\n"),
            ("instance deactivate T", "InstanceDeactivate", 200, "null", "Instance T is inactive.\n"),
        ] as [(String, String, Int64, String, String)])
    func verbs(words: String, method: String, status: Int64, payload: String, said: String) async throws {
        let reply = GraphReply(status: status, payload: try Self.json(payload))
        try await ScriptedCvrd.run(answering: reply) { cvrd in
            let environment = ["CVR_SOCKET": cvrd.socket]
            let arguments = ["graph"] + words.split(separator: " ").map(String.init)
            let outcome = try await ScriptedCvrd.cvrctl(arguments, environment: environment)
            #expect(outcome.status == 0 && outcome.complaint == "" && outcome.output == said, "\(outcome)")
            let name = #""payload":{"@apiVersion":"2.0","name":"T"}"#
            #expect(cvrd.log.calls == [#"Graph {"method":"Graph\#(method)",\#(name)}"#])
            let printed = try await ScriptedCvrd.cvrctl(["--json"] + arguments, environment: environment)
            #expect(printed.output == #"{"status":\#(status),"payload":\#(payload)}\#n"#)
        }
    }

    @Test("lists are tables, with --json what was answered")
    func lists() async throws {
        let list = #"{"value":[\#(Self.instance)]}"#
        let instances = try await Self.asked(200, list, "graph", "instance", "list")
        #expect(
            instances.0.output == """
                INSTANCE  STATE   TOPOLOGY       DESCRIPTION
                Front     Active  CVRToAMSAsset

                """)
        #expect(instances.1 == [#"Graph {"method":"GraphInstanceList","payload":{"@apiVersion":"2.0"}}"#])
        let printed = try await Self.asked(200, list, "graph", "instance", "list", "--json").0
        #expect(try Self.json(printed.output)["payload"] == Self.json(list))
        let empty = try await Self.asked(200, #"{"value":[]}"#, "graph", "topology", "list").0
        #expect(empty.output == "No topologies. Add one: cvrctl graph topology set FILE\n")
    }

    @Test("set sends a file as it is, standard input too, and adds the version that it lacks")
    func set() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/cvr-\(UUID().uuidString.prefix(8)).json"
        // One that stays behind in /tmp fails no test.
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(#"{"@ApiVersion":"1.0","name":"T"}"#.utf8).write(to: URL(filePath: path))
        let created = try await Self.asked(201, #"{"name":"T"}"#, "graph", "topology", "set", path)
        #expect(created.0.output == "Topology T created.\n" && created.0.status == 0)
        #expect(created.1 == [#"Graph {"method":"GraphTopologySet","payload":{"@ApiVersion":"1.0","name":"T"}}"#])
        let updated = try await Self.asked(
            200, Self.instance, "graph", "instance", "set", "-", input: "\u{FEFF}" + #" {"name":"Front"} "#)
        #expect(updated.0.output == "Instance Front updated.\n")
        let null = try await Self.asked(
            201, Self.instance, "graph", "instance", "set", "-", input: #"{"@apiversion":null,"name":"Front"}"#)
        #expect(null.1.first?.contains(#""@apiVersion":"2.0""#) == true && null.1.first?.contains("null") == false)
        #expect(updated.1 == [#"Graph {"method":"GraphInstanceSet","payload":{"@apiVersion":"2.0","name":"Front"}}"#])
    }

    /// Runs a command whose standard error is a terminal, and prints what that shows.
    static let onlooker = """
        import os, pty, subprocess, sys
        ours, theirs = pty.openpty()
        subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=theirs)
        os.write(theirs, b".")
        print(os.read(ours, 4096).decode())
        """

    @Test("at a terminal, deactivation says what it waits for; what is answered at once says nothing")
    func waiting() async throws {
        try await ScriptedCvrd.run(answering: GraphReply(status: 200)) { cvrd in
            for (verb, said) in [
                ("deactivate", "Waiting until all footage of Front is stored."), ("activate", "Activating Front."),
                ("delete", "."),
            ] {
                let command = [try VerbTests.python(), "-c", Self.onlooker, ScriptedCvrd.binary, "graph", "instance"]
                let outcome = try await ScriptedCvrd.run(
                    command + [verb, "Front"], input: "", environment: ["CVR_SOCKET": cvrd.socket])
                #expect(outcome.output.hasPrefix(said), "\(outcome)")
            }
        }
    }

    @Test("what is no JSON object is wrong usage, and nothing of it is shown")
    func unusable() async throws {
        for input in ["", "[]", "s3cret", "{\"a\":"] {
            let outcome = try await Self.asked(200, "{}", "graph", "topology", "set", "-", input: input)
            #expect(outcome.0.status == 2 && outcome.1 == [], "\(outcome)")
            #expect(outcome.0.complaint.hasPrefix("cvrctl: standard input is not a JSON object."), "\(outcome.0)")
        }
        let long = #"{"name":"\#(String(repeating: "a", count: (1 << 20) - 500))"}"#
        let refused = try await Self.asked(200, "{}", "graph", "topology", "set", "-", input: long)
        #expect(refused.0.status == 2 && refused.1 == [] && refused.0.complaint.contains("too long"), "\(refused.0)")
        let missing = try await Self.asked(200, "{}", "graph", "instance", "set", "/nowhere/file.json").0
        #expect(missing.status == 2 && missing.complaint.contains("/nowhere/file.json"))
    }

    @Test("an error is its message, and a line for each mistake; the exit code goes by the status")
    func errors() async throws {
        let error = #"""
            {"error":{"code":"InvalidResource","message":"The topology is invalid","details":[
              {"code":"PropertyValueInvalidPattern","message":"No dots.",
               "target":"$.Properties.Sinks[0].AssetNamePattern"},
              {"code":"GraphValidationError","message":"In two parts."}]}}
            """#
        for (status, exit) in [(400, 1), (404, 3), (409, 5), (500, 1), (501, 1), (503, 1)] as [(Int64, Int32)] {
            let outcome = try await Self.asked(status, error, "graph", "topology", "get", "T").0
            #expect(outcome.status == exit && outcome.output == "")
            #expect(
                outcome.complaint == """
                    cvrctl: The topology is invalid.
                      $.Properties.Sinks[0].AssetNamePattern: No dots. (PropertyValueInvalidPattern)
                      In two parts. (GraphValidationError)

                    """)
            let printed = try await Self.asked(status, error, "--json", "graph", "topology", "get", "T").0
            #expect(printed.status == exit && printed.complaint == "")
            #expect(
                try Self.json(printed.output) == .object(["status": .integer(status), "payload": Self.json(error)]))
        }
        let bare = try await Self.asked(500, "null", "graph", "topology", "list").0
        #expect(bare.complaint == "cvrctl: cvrd answered 500.\n")
    }

    @Test("an event of a media graph has an object for its detail, and a line in words")
    func events() async throws {
        let graph = GraphEvent(
            topic: "/sites/plant/boxes/nvr", subject: "/graphInstances/Front/sinks/assetSink",
            eventTime: "2026-11-26T08:00:00.000Z", body: .object(["outputType": .string("assetName")]),
            correlationId: "7", output: nil)
        let events = [
            Listing.Event(time: "t", type: "a.b", camera: "front", detail: "records into front", graph: graph),
            Listing.Event(time: "t", type: "reloaded", camera: nil, detail: "by hand"),
        ]
        let printed = try await VerbTests.asked(Listing.Events(events: events), "--json", "events")
        #expect(
            printed == #"""
                [{"time":"t","type":"a.b","camera":"front","detail":{"topic":"/sites/plant/boxes/nvr","subject":"/graphInstances/Front/sinks/assetSink","eventTime":"2026-11-26T08:00:00.000Z","dataVersion":"1.0","body":{"outputType":"assetName"}}},{"time":"t","type":"reloaded","camera":null,"detail":"by hand"}]

                """#)
        let said = try await VerbTests.asked(Listing.Events(events: events), "events")
        #expect(said == "t  front  a.b  records into front\nt  –  reloaded  by hand\n")
    }

    @Test("a shell offers the names of topologies and instances")
    func completion() async throws {
        let reply = GraphReply(status: 200, payload: try Self.json(#"{"value":[\#(Self.instance)]}"#))
        let offered = try await ScriptedCvrd.run(answering: reply) { cvrd in
            let verbs = try await CompletionTests.complete(["cvrctl", "graph", "instance", ""], socket: cvrd.socket)
            let names = try await CompletionTests.complete(
                ["cvrctl", "graph", "instance", "activate", ""], socket: cvrd.socket)
            return (verbs, names)
        }
        #expect(offered.0.isSuperset(of: ["list", "get", "set", "delete", "activate", "deactivate"]), "\(offered.0)")
        #expect(offered.1.contains("Front"), "\(offered.1)")
    }
}
