import Foundation
import Glibc
import JSON
import Messages
import TestSupport
import Testing

/// Events of a real camera's clips, and of messages, for whoever is away.
@Suite("Gateway: nobody takes events", .showsEvidence, .timeLimit(.minutes(40)))
struct GatewayOutageTests {
    /// Minutes that nobody takes events.
    private static let outage =
        ProcessInfo.processInfo.environment["CVR_GATEWAY_OUTAGE_MINUTES"].flatMap { Int($0) } ?? 0

    @Test(
        "broker and webhook away while clips are recorded and cvr-gateway is killed again and again: none lost, in order"
    )
    func outage() async throws {
        try await withGateway { scene, rig in
            let graph = GraphBox(scene.box)
            let gated = GraphTexts.gated(directory: "\(scene.box.root)/files/evr", output: "inferenceOutput")
            #expect(try await scene.ask("PUT", "/api/GraphTopology", gated).status == 201)
            let instance = GraphTexts.instance("Lab", of: "EVR", url: try rig.url("lab"))
            #expect(try await scene.call("GraphInstanceSet", instance).status == 201)
            #expect(try await scene.ask("POST", "/api/GraphInstance/Lab/activate").status == 200)
            try await eventually("frames for the pre-roll") {
                try await scene.box.status(of: "lab").framesReceived > 60 ? true : nil
            }
            var number = try await send(10, after: 0, to: scene.box)
            try await eventually("the tenth came", within: .seconds(30)) {
                let arrived = [try ArrivedEvent.by(scene.hook), try ArrivedEvent.by(scene.hub)]
                return arrived.allSatisfy { Self.numbers($0.map(\.body)).contains(10) } ? true : nil
            }
            await scene.mosquitto.stop()
            await scene.hook.stop()
            number = try await sendAndKill(scene, from: number)
            let mosquitto = try await Mosquitto(after: scene.mosquitto)
            let hook = try await Hook(after: scene.hook)
            #expect(try await graph.call("GraphInstanceDeactivate", named: "Lab").status == 200)
            let told = try await graph.told()
            #expect(Self.numbers(told.map(\.envelope.body)) == Array(1...number))
            try await eventually("nothing waits", within: .seconds(120)) {
                let gateway = try await GatewayScene.status(of: scene.box)
                return gateway.consumers.allSatisfy { $0.state == "ready" && $0.waiting == 0 } ? true : nil
            }
            try check(ArrivedEvent.by(scene.hook, hook), told, "webhook")
            try check(ArrivedEvent.by(scene.hub), told, "MQTT")
            print("an outage of \(Self.outage) min: \(told.count) events, \(number) of them messages")
            await mosquitto.stop()
            await hook.stop()
        }
    }

    /// Messages with their numbers; returns the last one's.
    private func send(_ count: Int, after number: Int, to box: Box) async throws -> Int {
        for number in number + 1...number + count {
            let message: JSONValue = [
                "input": "recordingTrigger", "body": ["number": .integer(Int64(number))],
            ]
            let reply = try await AdminConnection(to: box).call("SendMessage", message)
            #expect(reply["instances"] == ["Lab"], "\(reply.text)")
        }
        return number + count
    }

    /// Sends ten messages, kills cvr-gateway, and again, for as long as the outage is to be; returns the last number.
    private func sendAndKill(_ scene: GatewayScene, from first: Int) async throws -> Int {
        let end = ContinuousClock.now + .seconds(Self.outage * 60)
        var number = first
        repeat {
            number = try await send(10, after: number, to: scene.box)
            let pid = try await GatewayScene.status(of: scene.box).pid
            kill(pid ?? 0, SIGKILL)
            try await eventually("another one", within: .seconds(90)) {
                let gateway = try await GatewayScene.status(of: scene.box)
                return gateway.state == "running" && gateway.pid != pid ? true : nil
            }
        } while ContinuousClock.now < end || number < first + 30
        try await eventually("they wait, and it is told", within: .seconds(60)) {
            let found = try await GatewayScene.status(of: scene.box).consumers
            let areWaiting = found.allSatisfy { $0.state == "away" && $0.waiting >= number - first }
            return found.count == 2 && areWaiting ? true : nil
        }
        return number
    }

    private func check(_ arrived: [ArrivedEvent], _ told: [ToldEvent], _ way: String) {
        var seen: Set<String> = []
        // At least once is more than once sometimes.
        let firsts = arrived.filter { seen.insert($0.id).inserted }.map {
            [$0.eventType, $0.topic, $0.subject, $0.eventTime, $0.correlation, $0.body.text]
        }
        let expected = told.map { event in
            let graph = event.envelope
            return [
                "Microsoft.Media.Graph.\(event.type)", graph.topic, graph.subject, graph.eventTime,
                graph.correlationId ?? "", graph.body.text,
            ]
        }
        #expect(firsts == expected, "\(way): \(firsts.count) of \(expected.count)")
    }

    private static func numbers(_ bodies: [JSONValue]) -> [Int] {
        bodies.compactMap { if case .integer(let number) = $0["number"] { Int(number) } else { nil } }
    }
}
