import Foundation
import Messages
import Testing

/// Four cameras in four states; times are relative to the moment of asking.
func box() -> Admin.Status {
    var front = Admin.Camera(name: "front-door", state: "recording", since: ago(11_550))
    (front.pid, front.session, front.codec, front.width, front.height) = (101, 12, "h264", 1920, 1080)
    (front.framesPerSecond, front.bitsPerSecond, front.framesReceived) = (25, 4_100_000, 288_750)
    (front.lastFrameAge, front.cacheBytes, front.cacheBudgetBytes) = (0.04, 851_443_712, 2_147_483_648)
    (front.oldestLocal, front.restarts) = (ago(187_500), 1)
    var yard = Admin.Camera(name: "yard", state: "reconnecting", since: ago(30_630))
    (yard.pid, yard.session, yard.codec, yard.width, yard.height) = (102, 3, "h265", 2560, 1440)
    (yard.framesReceived, yard.lastFrameAge, yard.cacheBytes) = (5000, 253.1, 12_000_000)
    (yard.cacheBudgetBytes, yard.pendingSegments, yard.pendingBytes) = (2_147_483_648, 3, 12_582_912)
    yard.lastError = Admin.Fault(
        code: "cameraOffline", message: "10.0.0.22:554 does not answer:\u{1B}[2J No route to host",
        nextStep: "Check the camera's power and network, then cvrctl status")
    let attic = Admin.Camera(name: "attic", state: "stopped", since: ago(91_800))
    var dock = Admin.Camera(name: "dock", state: "backingOff", since: ago(7230))
    (dock.restarts, dock.session, dock.cacheBudgetBytes) = (9, 41, 1_073_741_824)
    var sync = Admin.Sync(state: "idle")
    (sync.pid, sync.writes, sync.lag) = (99, 1234, 61)
    return Admin.Status(version: "0.1.0", uptime: 277_205, cameras: [front, yard, attic, dock], sync: sync)
}

@Suite("cvrctl: status", .timeLimit(.minutes(1)))
struct StatusTests {
    static let wide = """
        1 of 4 recording, 1 backing off, 1 reconnecting, 1 stopped; sync idle, 3 segments (12M) pending, lag 1m1s

          CAMERA      STATE         SINCE  VIDEO                 RATE  FRAME  SESSION  RESTARTS      CACHE  PENDING  OLDEST
        ! dock        backing off      2h  –                        –      –       41         9     0/1.0G        0       –
        ! yard        reconnecting  8h30m  h265 2560x1440           –  4m13s        3         0   11M/2.0G    3 12M       –
          front-door  recording     3h12m  h264 1920x1080@25  4.1Mb/s   0.0s       12         1  812M/2.0G        0    2d4h
          attic       stopped        1d1h  –                        –      –        0         0          0        0       –

        yard: 10.0.0.22:554 does not answer: [2J No route to host. Check the camera's power and network, then cvrctl status.

        """

    static let narrow = """
        1 of 4 recording, 1 backing off, 1 reconnecting, 1 stopped; sync idle, 3
          segments (12M) pending, lag 1m1s

          CAMERA      STATE         SINCE  VIDEO              FRAME      CACHE  PENDING
        ! dock        backing off      2h  –                      –     0/1.0G        0
        ! yard        reconnecting  8h30m  h265 2560x1440     4m13s   11M/2.0G    3 12M
          front-door  recording     3h12m  h264 1920x1080@25   0.0s  812M/2.0G        0
          attic       stopped        1d1h  –                      –          0        0

        yard: 10.0.0.22:554 does not answer: [2J No route to host. Check the camera's
          power and network, then cvrctl status.

        """

    @Test("a closed gate waits, and what is still being stored is deactivating")
    func graphs() async throws {
        var status = box()
        let graph = { Admin.GraphState(instance: "G", topology: "Clips", state: $0, gate: $1) }
        (status.cameras[0].graph, status.cameras[2].graph) = (graph("Active", "closed"), graph("Deactivating", nil))
        let text = try await ScriptedCvrd.run(answering: status) { try await $0.cvrctl("status", columns: 120) }.output
        #expect(
            text.hasPrefix("0 of 4 recording, 1 backing off, 1 reconnecting, 1 waiting, 1 deactivating;"), "\(text)")
        #expect(text.contains("  front-door  waiting ") && text.contains("  attic       deactivating "), "\(text)")
    }

    @Test(
        "problems come first, marked, with the next step; at 120 columns and at 80",
        arguments: [(120, wide), (80, narrow)])
    func table(columns: Int, expected: String) async throws {
        let outcome = try await ScriptedCvrd.run(answering: box()) { try await $0.cvrctl("status", columns: columns) }
        #expect(outcome.output == expected)
        #expect(outcome.status == 0, "bad cameras are an answer, not a failure")
        #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= columns })
    }

    @Test("a healthy box says so in one line")
    func healthy() async throws {
        var camera = Admin.Camera(name: "a", state: "recording", since: ago(60))
        camera.pid = 1
        let status = Admin.Status(version: "0.1.0", uptime: 61, cameras: [camera], sync: Admin.Sync(state: "running"))
        let outcome = try await ScriptedCvrd.run(answering: status) { try await $0.cvrctl("status") }
        #expect(outcome.output.hasPrefix("1 of 1 recording; sync running, nothing pending; cvrd 0.1.0, up 1m1s\n"))
        #expect(!outcome.output.contains("!"))
    }

    @Test("sync away, a store out of reach, a state of the future and no camera at all are said")
    func oddities() async throws {
        var status = Admin.Status(version: "0.1.0", uptime: 1, cameras: [], sync: Admin.Sync(state: "away"))
        let empty = try await ScriptedCvrd.run(answering: status) { try await $0.cvrctl("status") }
        #expect(empty.output.hasPrefix("No cameras; sync away.\nAdd one: cvrctl camera add"))
        status.cameras = [Admin.Camera(name: "a", state: "hovering", since: "not a time")]
        status.sync = Admin.Sync(state: "idle")
        status.sync.breaker = "open"
        status.sync.lastError = Admin.Fault(code: "c", message: "The store is full.", nextStep: "Make room")
        let odd = try await ScriptedCvrd.run(answering: status) { try await $0.cvrctl("status") }
        #expect(odd.output.hasPrefix("0 of 1 recording, 1 hovering; sync idle, nothing pending, store not reached;"))
        #expect(odd.output.contains("! a       hovering      –"))
        #expect(odd.output.hasSuffix("\nsync: The store is full. Make room.\n"))
    }

    @Test("a gateway is said to work, and who of those that events go to is away")
    func gateway() async throws {
        var gateway = Admin.Gateway(state: "running")
        gateway.consumers = [
            Admin.EventReceiver(name: "mqtt", state: "ready", waiting: 0),
            Admin.EventReceiver(
                name: "webhook.vms", state: "away", waiting: 12,
                lastError: Admin.Fault(code: "webhookAway", message: "https://h answered 503", nextStep: "Look there")),
        ]
        let status = Admin.Status(
            version: "0.1.0", uptime: 1, cameras: [], sync: Admin.Sync(state: "idle"), gateway: gateway)
        let said = try await ScriptedCvrd.run(answering: status) { try await $0.cvrctl("status") }
        #expect(said.output.contains("; gateway running, webhook.vms away, 12 events wait.\n"))
        #expect(said.output.hasSuffix("\nwebhook.vms: https://h answered 503. Look there.\n"))
    }

    @Test("as JSON it has every member, null where there is nothing, before and after the verb")
    func json() async throws {
        let status = box()
        for arguments in [["--json", "status"], ["status", "--json"]] {
            let outcome = try await ScriptedCvrd.run(answering: status) { cvrd in
                try await ScriptedCvrd.cvrctl(arguments, environment: ["CVR_SOCKET": cvrd.socket])
            }
            #expect(try JSONDecoder().decode(Admin.Status.self, from: Data(outcome.output.utf8)) == status)
            let top = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
            #expect(Set(top.keys) == ["version", "uptime", "cameras", "sync", "playback", "gateway"])
            let cameras = try #require(top["cameras"] as? [[String: Any]])
            #expect(cameras[2]["pid"] is NSNull && cameras[2]["lastError"] is NSNull)
            #expect(cameras.allSatisfy { $0.count == 31 })
        }
    }

    @Test("an rtsps camera that nobody verifies is marked, and a fault says how old it is")
    func marks() async throws {
        var camera = Admin.Camera(name: "yard", state: "reconnecting", since: ago(60))
        camera.unverifiedTLS = true
        camera.lastError = Admin.Fault(code: "c", message: "It is away", nextStep: "Look", time: ago(11_430))
        let status = Admin.Status(version: "0.1.0", uptime: 61, cameras: [camera], sync: Admin.Sync(state: "idle"))
        let outcome = try await ScriptedCvrd.run(answering: status) { try await $0.cvrctl("status") }
        #expect(outcome.output.contains("! yard*   reconnecting"))
        #expect(outcome.output.contains("\n* rtsps without verification"))
        #expect(outcome.output.hasSuffix("\nyard (3h10m ago): It is away. Look.\n"))
    }

    @Test("there is colour on a terminal, unless NO_COLOR is set")
    func colour() async throws {
        let coloured = try await ScriptedCvrd.run(answering: box()) { cvrd in
            var outputs: [String] = []
            for choice in ["", "1"] {
                let environment = ["CVR_SOCKET": cvrd.socket, "COLUMNS": "120", "NO_COLOR": choice, "TERM": "xterm"]
                let command = ["/usr/bin/script", "-qec", "\(ScriptedCvrd.binary) status", "/dev/null"]
                outputs.append(try await ScriptedCvrd.run(command, input: "", environment: environment).output)
            }
            return outputs
        }
        #expect(coloured[0].contains("\u{1B}[1;31m! yard"))
        #expect(!coloured[1].contains("\u{1B}") && coloured[1].contains("! yard"))
    }
}
