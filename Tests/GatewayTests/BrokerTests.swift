import Foundation
import JSON
import Messages
import Recording
import TestSupport
import Testing

/// IoT Hub's topics on a real mosquitto.
@Suite("Gateway: MQTT", .timeLimit(.minutes(2)))
struct BrokerTests {
    private func withGateway(
        answer: @escaping DrivenGateway.Answering = { _ in GraphReply(status: 200) },
        _ body: (DrivenGateway, Mosquitto, ChildProcess) async throws -> Void
    ) async throws {
        let mosquitto = try await Mosquitto(password: "br0ker-secret")
        var broker = GatewayInterface.Broker(
            host: "127.0.0.1", port: Int64(mosquitto.port), device: "box-1", module: "lvaEdge")
        (broker.username, broker.password) = ("cvr", Secret("br0ker-secret"))
        let hub = try await mosquitto.subscribe(
            ["$iothub/methods/res/#", "devices/#"], name: "hub", options: Self.account)
        let gateway = try await DrivenGateway(broker: broker, answer: answer)
        try await eventually("the gateway is connected", every: .milliseconds(50)) {
            try await gateway.status().consumers.first?.state == "ready" ? true : nil
        }
        try await body(gateway, mosquitto, hub)
        await hub.stop()
        await mosquitto.stop()
    }

    private static let account = ["-u", "cvr", "-P", "br0ker-secret"]

    private static func answer(_ hub: ChildProcess, to request: String) async throws -> (status: Int, body: String) {
        try await hub.output.first("the answer to \(request)") { line in
            let halves = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            guard let found = halves.first?.firstMatch(of: /^\$iothub\/methods\/res\/(\d+)\/\?\$rid=(.*)$/),
                String(found.output.2) == request, let status = Int(found.output.1)
            else { return nil }
            return (status, String(halves.last ?? ""))
        }.found
    }

    @Test(
        "each direct method is answered at its own topic, one that waits delays no other, and messages go to their input"
    )
    func methods() async throws {
        let (released, release) = AsyncStream.makeStream(of: Void.self)
        try await withGateway { request in
            if request.call?.method == "GraphInstanceActivate" { for await _ in released { break } }
            return GraphReply(
                status: request.call?.method == "GraphTopologySet" ? 201 : 200, payload: request.call?.payload)
        } _: { gateway, mosquitto, hub in
            let methods = ["GraphTopology", "GraphInstance"].flatMap { kind in
                ["Set", "Get", "List", "Delete"].map { kind + $0 }
            }
            try await mosquitto.publish(
                "$iothub/methods/POST/GraphInstanceActivate/?$rid=first", #"{"name":"a"}"#, options: Self.account)
            for (number, method) in (methods + ["GraphInstanceDeactivate"]).enumerated() {
                let payload = #"{"@apiVersion":"2.0","name":"n\#(number)"}"#
                try await mosquitto.publish(
                    "$iothub/methods/POST/\(method)/?$rid=\(number)", payload, options: Self.account)
                let answer = try await Self.answer(hub, to: "\(number)")
                #expect(answer.status == (method == "GraphTopologySet" ? 201 : 200) && answer.body == payload)
                #expect(gateway.asked.all.last?.call?.method == method)
            }
            release.yield()
            #expect(try await Self.answer(hub, to: "first").status == 200)
            try await mosquitto.publish(
                "devices/box-1/modules/lvaEdge/inputs/trigger/a=1&b=%C3%BC", #"{"x":1}"#, options: Self.account)
            let message = try await eventually("the message", every: .milliseconds(20)) {
                gateway.asked.all.last?.message
            }
            #expect(message.input == "trigger" && message.body == .object(["x": .integer(1)]))
            #expect(message.properties?["a"] == "1" && message.properties?["b"] == "ü")
        }
    }

    @Test("junk topics and payloads reach nobody, and the next call is answered")
    func junk() async throws {
        try await withGateway { gateway, mosquitto, hub in
            let topics = [
                "$iothub/methods/POST/", "$iothub/methods/POST/x", "$iothub/methods/POST/x/?$rid=",
                "devices/box-1/modules/lvaEdge/inputs/",
                "$iothub/methods/POST/x/?$rid=a/b", "$iothub/methods/POST//?$rid=1",
                "$iothub/methods/POST/%zz/%/?$rid=%",
                "devices/box-1/modules/lvaEdge/inputs/%FF%00/%&=&&==%",
                "devices/box-1/modules/lvaEdge/inputs/a/\u{1F4A5}=",
            ]
            for topic in topics {
                try await mosquitto.publish(topic, "\u{FFFD}{{", options: Self.account)
            }
            let large = String(repeating: "a", count: (1 << 20) + 10)
            try await mosquitto.publish("$iothub/methods/POST/x/?$rid=large", large, options: Self.account)
            #expect(try await Self.answer(hub, to: "large").status == 413)
            try await mosquitto.publish("$iothub/methods/POST/x/?$rid=broken", "{", options: Self.account)
            #expect(try await Self.answer(hub, to: "broken").status == 400)
            try await mosquitto.publish("$iothub/methods/POST/GraphTopologyList/?$rid=last", "", options: Self.account)
            #expect(try await Self.answer(hub, to: "last").status == 200)
            #expect(gateway.child.isRunning)
            #expect(gateway.asked.all.compactMap(\.call).map(\.method) == ["GraphTopologyList"])
        }
    }

    @Test(
        "events go to IoT Hub's topic with their properties, in order; analytics to their output, others where they are told"
    )
    func events() async throws {
        try await withGateway { gateway, _, hub in
            var inference = storedEvent(3, type: "Analytics.Inference")
            inference.event.graph?.output = "inferences"
            inference.event.graph?.correlationId = "c-1"
            let events = [
                storedEvent(1), storedEvent(2, type: "Diagnostics.ProtocolError"), inference,
                storedEvent(4, type: "Analytics.Inference"), storedEvent(5),
            ]
            try await gateway.deliver(events, to: "mqtt")
            let sent = hub.output
            _ = try await sent.first("the last event") { $0.contains("a&b=5") ? true : nil }
            let lines = sent.lines.filter { $0.contains("/messages/events/") }
            #expect(lines.count == 4, "one without an output is nobody's")
            let bags = lines.map { $0.split(separator: "\t")[0].split(separator: "/").last ?? "" }
            #expect(
                bags.map { $0.split(separator: "&")[0] } == [
                    "$.on=AmsOperational", "$.on=AmsDiagnostics", "$.on=inferences", "$.on=AmsOperational",
                ])
            let first = try #require(bags.first)
            #expect(first.contains("&subject=%2FgraphInstances%2FFront%2Fsinks%2FassetSink&"))
            #expect(first.contains("&eventType=Microsoft.Media.Graph.Operational.RecordingStarted&"))
            #expect(first.hasSuffix("&eventTime=2026-01-02T03%3A04%3A05.678Z&dataVersion=1.0"))
            #expect(first.contains("topic=%2Fsites%2Ftest%2Fboxes%2Fb&"))
            #expect(bags[2].contains("&$.cid=c-1&"))
            let body = lines[0].split(separator: "\t")[1]
            #expect(body == #"{"outputLocation":"a&b=1/ü","outputType":"assetName"}"#)
            #expect(lines[0].hasPrefix("devices/box-1/modules/lvaEdge/messages/events/"))
        }
    }

    @Test("over TLS with the authority that is told; without, and with a wrong password, it says what to do")
    func secured() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cert-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        let certificate = try await Certificate(in: folder)
        let mosquitto = try await Mosquitto(password: "br0ker-secret", certificate: certificate)
        var broker = GatewayInterface.Broker(
            host: "127.0.0.1", port: Int64(mosquitto.port), isTLS: true, device: "d", module: "m")
        (broker.username, broker.password) = ("cvr", Secret("br0ker-secret"))
        func consumer(_ gateway: DrivenGateway, is state: String) async throws -> GatewayInterface.Consumer {
            try await eventually("the broker is \(state)", every: .milliseconds(50)) {
                try await gateway.status().consumers.first { $0.state == state }
            }
        }
        let distrusting = try await DrivenGateway(broker: broker)
        #expect(try await consumer(distrusting, is: "away").lastError?.nextStep.contains("certificate") == true)
        broker.certificateAuthority = certificate.authority
        _ = try await consumer(try await DrivenGateway(broker: broker), is: "ready")
        broker.password = Secret("wr0ng-secret")
        let refused = try await DrivenGateway(broker: broker)
        let fault = try #require(try await consumer(refused, is: "away").lastError)
        #expect(fault.code == "brokerAway" && fault.nextStep.contains("credential"), "\(fault)")
        await mosquitto.stop()
        let traces = try Secrets.traces(
            of: ["wr0ng-secret", DrivenGateway.token], in: [refused.folder], except: [])
        #expect(traces.isEmpty, "\(traces) (I10)")
    }
}
