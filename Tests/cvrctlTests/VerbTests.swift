import Foundation
import Messages
import Testing
import Varlink

@Suite("cvrctl: verbs", .timeLimit(.minutes(1)))
struct VerbTests {
    static let segment = Listing.Segment(
        key: "plant/front/2026-11-23/08/00-00.000Z.0.mp4", session: 1, counter: 0, start: "2026-11-23T08:00:00.000Z",
        duration: 30.04, bytes: 15_400_000, frames: 751, state: "verified", local: false)
    static let gap = Listing.Gap(
        from: "2026-11-23T08:10:00.000Z", to: "2026-11-23T08:10:01.500Z", reason: "workerCrash", detail: "signal 9")
    static let open = Listing.Gap(
        from: "2026-11-23T09:00:00.000Z", to: nil, reason: "cameraOffline", detail: "no route to host")

    static let shut = Listing.Gap(from: "2026-11-23T09:00:00.000Z", to: nil, reason: "gateClosed", detail: "no event")

    static func asked(_ reply: some Encodable & Sendable, _ arguments: String...) async throws -> String {
        try await ScriptedCvrd.run(answering: reply) { cvrd in
            let outcome = try await ScriptedCvrd.cvrctl(
                arguments, environment: ["CVR_SOCKET": cvrd.socket, "COLUMNS": "120"])
            #expect(outcome.status == 0 && outcome.complaint == "", "\(outcome)")
            return outcome.output
        }
    }

    @Test("segments is an array of what all replies brought")
    func segments() async throws {
        let json = try await ScriptedCvrd.run { _, replies in
            for counter in 0..<3 {
                var segment = Self.segment
                segment.counter = Int64(counter)
                try await replies.send(Listing.Segments(segments: [segment]), continues: counter < 2)
            }
        } _: { cvrd in
            let outcome = try await cvrd.cvrctl(
                "--json", "segments", "front", "--from", "2026-11-23T10:00:00+02:00", "--to", "2026-11-23T09:00:00Z")
            #expect(
                cvrd.log.calls == [
                    #"Segments {"camera":"front","from":"2026-11-23T08:00:00.000Z","to":"2026-11-23T09:00:00.000Z"}"#
                ])
            return outcome.output
        }
        let segments = try JSONDecoder().decode([Listing.Segment].self, from: Data(json.utf8))
        #expect(segments.map(\.counter) == [0, 1, 2])
        #expect(
            try await Self.asked(Listing.Segments(segments: [Self.segment]), "segments", "front") == """
                START                     LENGTH  SIZE  FRAMES  STATE     LOCAL  KEY
                2026-11-23T08:00:00.000Z     30s   15M     751  verified  no     plant/front/2026-11-23/08/00-00.000Z.0.mp4

                1 segments, 30s, 15M

                """)
    }

    @Test("cost says when the table has no price for the storage class, or the store, that is configured")
    func unpriced() async throws {
        var cost = Admin.Cost(
            prices: "/etc/cvr/prices.yaml", dated: "2026-08-10", currency: "USD", service: "s3",
            storageClass: "STANDARD",
            cameras: [
                Admin.CameraCost(
                    name: "front", bitsPerSecond: 4_000_000, segmentLength: 30, retention: nil,
                    forecasts: [
                        Admin.Forecast(
                            service: "s3", storageClass: "STANDARD", segmentLength: 30, writes: 86_430, writeCost: 0.43,
                            storageCost: 29.81)
                    ])
            ],
            written: Admin.Written(
                since: "2026-11-23T08:00:00.000Z", segments: 7, documents: 2, bytes: 1 << 30, lists: 3))
        let priced = try await Self.asked(cost, "cost")
        #expect(!priced.contains("no price"))
        #expect(
            priced.hasSuffix(
                "Billed as writes since 2026-11-23T08:00:00.000Z: 7 for segments, 2 for other objects, 3 lists; 1.0G stored.\n"
            ), "\(priced)")
        cost.storageClass = "ONEZONE_IA"
        let another = try await Self.asked(cost, "cost")
        #expect(another.contains("There is no price for ONEZONE_IA in /etc/cvr/prices.yaml.\n"))
        (cost.storageClass, cost.service) = (nil, "azblob")
        let other = try await Self.asked(cost, "cost")
        #expect(other.contains("There is no price for azblob in /etc/cvr/prices.yaml.\n"))
    }

    @Test("gaps is an array, with null for the end of an open one")
    func gaps() async throws {
        let gaps = Listing.Gaps(gaps: [Self.gap, Self.open])
        #expect(
            try await Self.asked(gaps, "gaps", "front", "--json") == #"""
                [{"from":"2026-11-23T08:10:00.000Z","to":"2026-11-23T08:10:01.500Z","reason":"workerCrash","detail":"signal 9"},{"from":"2026-11-23T09:00:00.000Z","to":null,"reason":"cameraOffline","detail":"no route to host"}]

                """#)
        #expect(
            try await Self.asked(gaps, "gaps", "front") == """
                  FROM                      TO                        LENGTH  REASON         DETAIL
                  2026-11-23T08:10:00.000Z  2026-11-23T08:10:01.500Z    1.5s  workerCrash    signal 9
                ! 2026-11-23T09:00:00.000Z  –                           open  cameraOffline  no route to host

                """)
        #expect(try await Self.asked(Listing.Gaps(gaps: []), "gaps", "front") == "No gaps.\n")
        let shut = try await Self.asked(Listing.Gaps(gaps: [Self.shut]), "gaps", "front")
        #expect(shut.contains("gateClosed") && !shut.contains("!"), "nobody asked for it: \(shut)")
    }

    @Test("coverage is an object; its percentage is never rounded up")
    func coverage() async throws {
        let (from, to) = ("2026-11-23T08:00:00.000Z", "2026-11-23T09:00:00.000Z")
        let coverage = Listing.Coverage(
            from: from, to: to, recorded: 3599.9, percent: 99.9972,
            spans: [
                .init(from: from, to: "2026-11-23T08:59:59.900Z", kind: "recorded", reason: nil, state: "verified"),
                .init(from: "2026-11-23T08:59:59.900Z", to: to, kind: "gap", reason: "networkLoss", state: nil),
            ])
        #expect(
            try await Self.asked(coverage, "coverage", "front") == """
                99.99 % recorded: 59m59s of 1h, 2026-11-23T08:00:00.000Z to 2026-11-23T09:00:00.000Z

                  FROM                      TO                        LENGTH  WHAT      WHY
                  2026-11-23T08:00:00.000Z  2026-11-23T08:59:59.900Z  59m59s  recorded  verified
                ! 2026-11-23T08:59:59.900Z  2026-11-23T09:00:00.000Z    0.1s  gap       networkLoss

                """)
        let json = try await Self.asked(coverage, "--json", "coverage", "front")
        #expect(try JSONDecoder().decode(Listing.Coverage.self, from: Data(json.utf8)) == coverage)
        #expect(json.contains(#""kind":"recorded","reason":null,"state":"verified""#))
    }

    @Test("camera verbs call their methods with the name, and say what was done")
    func cameraVerbs() async throws {
        try await ScriptedCvrd.run(answering: VarlinkEmpty()) { cvrd in
            for verb in ["remove", "start", "stop", "restart"] {
                let outcome = try await cvrd.cvrctl("camera", verb, "yard")
                #expect(outcome.status == 0 && outcome.output.hasPrefix("yard \(verb)"), "\(outcome)")
            }
            #expect(try await cvrd.cvrctl("--json", "camera", "start", "yard").output == "{}\n")
            #expect(
                cvrd.log.calls
                    == ["Remove", "Start", "Stop", "Restart", "Start"].map { #"\#($0)Camera {"name":"yard"}"# })
        }
    }

    /// Runs a command on a terminal and types its first argument once a password is asked for; says how it ended, and
    /// whether the terminal echoes again.
    static let typist = """
        import fcntl, os, pty, struct, sys, termios
        pid, terminal = pty.fork()
        if pid == 0: os.execv(sys.argv[2], sys.argv[2:])
        number = struct.unpack("i", fcntl.ioctl(terminal, 0x80045430, bytes(4)))[0]  # TIOCGPTN
        side = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
        shown = b""
        while b": " not in shown: shown += os.read(terminal, 4096)
        os.write(terminal, sys.argv[1].encode())
        end = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        shown += os.read(terminal, 4096)
        echoes = bool(termios.tcgetattr(side)[3] & termios.ECHO)
        print(shown.decode(), end, "echoes" if echoes else "silent")
        """

    static func python() throws -> String {
        try #require(ProcessInfo.processInfo.environment["CVR_TEST_VENV"]) + "/bin/python3"
    }

    @Test("a password comes from standard input, is not shown, and is asked for on a terminal")
    func password() async throws {
        try await ScriptedCvrd.run(answering: VarlinkEmpty()) { cvrd in
            let add = ["camera", "add", "yard", "--url", "rtsp://10.0.0.22/main", "--username", "admin"]
            let piped = try await ScriptedCvrd.cvrctl(
                add + ["--password-stdin"], input: "pa ss\"word\nmore\n", environment: ["CVR_SOCKET": cvrd.socket])
            #expect(piped.status == 0 && !piped.output.contains("pa ss"), "\(piped)")
            let empty = try await ScriptedCvrd.cvrctl(
                add + ["--password-stdin"], environment: ["CVR_SOCKET": cvrd.socket])
            #expect(empty.status == 2)
            let blank = try await ScriptedCvrd.cvrctl(
                add + ["--password-stdin"], input: "\n", environment: ["CVR_SOCKET": cvrd.socket])
            #expect(blank.status == 2)
            let type = { (keys: String) in
                try await ScriptedCvrd.run(
                    [Self.python(), "-c", Self.typist, keys, ScriptedCvrd.binary] + add + ["--password-stdin"],
                    input: "", environment: ["CVR_SOCKET": cvrd.socket])
            }
            let typed = try await type("hunter2\n")
            #expect(typed.output.contains("Password of yard: ") && typed.output.hasSuffix("0 echoes\n"), "\(typed)")
            #expect(!typed.output.contains("hunter2"))
            let interrupted = try await type("hun\u{3}")
            #expect(interrupted.output.hasSuffix("130 echoes\n"), "\(interrupted)")
            let call = { (password: String) in
                #"AddCamera {"name":"yard","password":"\#(password)","url":"rtsp://10.0.0.22/main","username":"admin"}"#
            }
            #expect(cvrd.log.calls == [call(#"pa ss\"word"#), call("hunter2")])
        }
    }

    @Test("events are lines; followed, one object a line until cvrd goes")
    func events() async throws {
        let events = [
            Listing.Event(time: "2026-11-23T08:00:00.000Z", type: "cameraState", camera: "yard", detail: "recording"),
            Listing.Event(time: "2026-11-23T08:00:01.000Z", type: "reloaded", camera: nil, detail: "a\nb"),
        ]
        #expect(
            try await Self.asked(Listing.Events(events: events), "events") == """
                2026-11-23T08:00:00.000Z  yard  cameraState  recording
                2026-11-23T08:00:01.000Z  –  reloaded  a b

                """)
        let followed = try await ScriptedCvrd.run { _, replies in
            for event in events { try await replies.send(Listing.Events(events: [event]), continues: true) }
            throw CancellationError()
        } _: { cvrd in
            try await cvrd.cvrctl("events", "--follow", "--json")
        }
        let lines = followed.output.split(separator: "\n")
        #expect(try lines.prefix(2).map { try JSONDecoder().decode(Listing.Event.self, from: Data($0.utf8)) } == events)
        #expect(lines[1].contains(#""camera":null"#))
        #expect(lines.count == 3 && lines[2].contains("cvrdUnavailable"))
        #expect(followed.status == 4)
    }

    @Test("sync, reload and cameras answer in words")
    func others() async throws {
        #expect(
            try await Self.asked(SyncInterface.PassReport(uploaded: 3, failed: 0), "sync", "now") == "3 uploaded.\n")
        let sync = Admin.SyncReport(sync: Admin.Sync(state: "idle"))
        #expect(
            try await Self.asked(sync, "sync", "status") == "sync idle, lag 0s, breaker closed, 0 writes, 0 retries\n")
        let changes = Admin.Reloaded(added: ["a", "b"], removed: [], changed: ["c"])
        #expect(try await Self.asked(changes, "reload") == "added a, b; changed c.\n")
        let none = Admin.Reloaded(added: [], removed: [], changed: [])
        #expect(try await Self.asked(none, "reload") == "No camera changed.\n")
        let refused = Admin.Reloaded(added: [], removed: [], changed: [], refused: ["a is taken. Rename it"])
        #expect(try await Self.asked(refused, "reload") == "No camera changed.\n! a is taken. Rename it.\n")
        let camera = Admin.CameraConfiguration(
            name: "yard", url: "rtsp://10.0.0.22/main", username: "admin", transport: "tcp", segmentLength: 30,
            retention: nil, asset: "yard", enabled: true, origin: "/etc/cvr/cvr.yaml")
        #expect(
            try await Self.asked(Admin.Cameras(cameras: [camera]), "cameras") == """
                CAMERA  ENABLED  URL                    USER   TRANSPORT  SEGMENT  RETENTION  ASSET  ORIGIN
                yard    yes      rtsp://10.0.0.22/main  admin  tcp            30s   for ever  yard   /etc/cvr/cvr.yaml

                """)
    }
}

@Suite("cvrctl: failures", .timeLimit(.minutes(1)))
struct FailureTests {
    struct Words: Encodable { var message: String, nextStep: String }

    @Test(
        "each error has its exit code and its code for scripts",
        arguments: [
            ("io.cvr.Admin.NotFound", "notFound", 3), ("io.cvr.Admin.InvalidArgument", "invalidArgument", 2),
            ("io.cvr.Admin.Refused", "refused", 5), ("io.cvr.Admin.Failed", "failed", 1),
            ("io.cvr.Admin.SyncUnavailable", "syncUnavailable", 4),
            ("org.varlink.service.MethodNotImplemented", "methodNotImplemented", 1),
        ])
    func remote(name: String, code: String, status: Int32) async throws {
        try await ScriptedCvrd.run { _, _ in
            throw VarlinkFailure(name: name, parameters: Words(message: "No such \"camera\"", nextStep: "Look"))
        } _: { cvrd in
            for arguments in [["gaps", "yard"], ["camera", "stop", "yard"]] {
                let environment = ["CVR_SOCKET": cvrd.socket]
                let words = try await ScriptedCvrd.cvrctl(arguments, environment: environment)
                #expect(words.status == status && words.output == "")
                #expect(words.complaint == "cvrctl: No such \"camera\". Look.\n")
                let json = try await ScriptedCvrd.cvrctl(arguments + ["--json"], environment: environment)
                #expect(json.status == status && json.complaint == "")
                #expect(
                    json.output
                        == #"{"error":{"code":"\#(code)","message":"No such \"camera\"","nextStep":"Look"}}"# + "\n")
            }
        }
    }

    @Test("without cvrd the exit code is 4, and the next step says how to start it")
    func away() async throws {
        let words = try await ScriptedCvrd.cvrctl(["--socket", "/nonexistent/s", "status"])
        #expect(words.status == 4)
        #expect(words.complaint.contains("/nonexistent/s") && words.complaint.contains("systemctl start cvrd"))
        let json = try await ScriptedCvrd.cvrctl(["status", "--json", "--socket", "/nonexistent/s"])
        #expect(json.status == 4 && json.output.hasPrefix(#"{"error":{"code":"cvrdUnavailable","#))
    }

    @Test(
        "wrong usage is 2",
        arguments: [
            ["bogus"], ["segments"], ["status", "extra"], ["gaps", "yard", "--from", "yesterday"],
            ["camera", "add", "yard"],
            ["--nonsense", "status"],
        ])
    func usage(arguments: [String]) async throws {
        let words = try await ScriptedCvrd.cvrctl(arguments)
        #expect(words.status == 2 && words.output == "" && words.complaint.hasPrefix("Error: "))
        let json = try await ScriptedCvrd.cvrctl(arguments + ["--json"])
        #expect(json.status == 2 && json.output.hasPrefix(#"{"error":{"code":"usage","#))
    }

    @Test("a pass with failures failed")
    func pass() async throws {
        let report = SyncInterface.PassReport(uploaded: 2, failed: 1)
        let outcome = try await ScriptedCvrd.run(answering: report) { try await $0.cvrctl("sync", "now") }
        #expect(outcome.status == 1 && outcome.complaint.hasPrefix("cvrctl: 2 uploaded, 1 failed."))
    }

    @Test("help is an answer")
    func help() async throws {
        for arguments in [["--help"], ["help", "camera", "add"], ["status", "-h"]] {
            let outcome = try await ScriptedCvrd.cvrctl(arguments)
            #expect(outcome.status == 0 && outcome.output.contains("USAGE: cvrctl") && outcome.complaint == "")
        }
    }
}
