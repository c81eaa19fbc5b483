import Foundation
import Glibc
import JSON
import Messages
import Recording
import TestSupport
import Testing

/// Messages that open gates: the broker keeps each until cvrd has it.
@Suite("Gateway: inputs by MQTT", .timeLimit(.minutes(1)))
struct BrokerInputsTests {
    private static let topic = "devices/box-1/modules/lvaEdge/inputs/trigger"

    private static func broker(_ mosquitto: Mosquitto) -> GatewayInterface.Broker {
        GatewayInterface.Broker(host: "127.0.0.1", port: Int64(mosquitto.port), device: "box-1", module: "lvaEdge")
    }

    private static func ready(_ gateway: DrivenGateway) async throws {
        try await eventually("the gateway is connected", every: .milliseconds(20)) {
            try await gateway.status().consumers.first?.state == "ready" ? true : nil
        }
    }

    private static func number(_ message: Admin.InputMessage?) -> Int64? {
        guard case .integer(let number)? = message?.body else { return nil }
        return number
    }

    private static func numbers(_ gateway: DrivenGateway) -> [Int64] { gateway.asked.messages.compactMap(number) }

    @Test(
        "what comes while cvrd is away, and more of it than anybody asks at a time, is there when it is back, in order")
    func away() async throws {
        let mosquitto = try await Mosquitto()
        let gateway = try await DrivenGateway(broker: Self.broker(mosquitto))
        try await Self.ready(gateway)
        await gateway.leave()
        try await eventually("the broker is left", every: .milliseconds(20)) {
            mosquitto.log.contains { $0.contains("DISCONNECT from box-1/lvaEdge") } ? true : nil
        }
        try await mosquitto.publish(Self.topic, lines: (1...150).map { "\($0)" })
        try await gateway.come()
        try await eventually("all of them", every: .milliseconds(20)) {
            Self.numbers(gateway).last == 150 ? true : nil
        }
        #expect(Self.numbers(gateway) == Array(1...150))
        #expect(try await gateway.status().refusedInputs == 0)
        await mosquitto.stop()
    }

    @Test(
        "one that cvrd cannot take now comes again with the time of its arrival, before those behind it; a refused one is counted"
    )
    func again() async throws {
        let mosquitto = try await Mosquitto()
        let seen = Asked()
        let gateway = try await DrivenGateway(broker: Self.broker(mosquitto)) { request in
            seen.take(request)
            let times = seen.messages.count { Self.number($0) == Self.number(request.message) }
            return switch Self.number(request.message) {
            case 2 where times < 3: GraphReply(status: 503)
            case 3, 6: GraphReply(status: 400)
            default: GraphReply(status: 200)
            }
        }
        try await Self.ready(gateway)
        try await mosquitto.publish(Self.topic, lines: (1...4).map { "\($0)" })
        try await mosquitto.publish(Self.topic, String(repeating: "a", count: (1 << 20) + 1))
        try await mosquitto.publish(Self.topic, "5")
        try await eventually("the last", every: .milliseconds(20)) { Self.numbers(gateway).last == 5 ? true : nil }
        // What was taken just before a session ended may come twice.
        var last: Int64 = 0
        let firsts = Self.numbers(gateway).filter { number in
            defer { last = max(last, number) }
            return number > last
        }
        #expect(firsts == [1, 2, 3, 4, 5] && Self.numbers(gateway).count { $0 == 2 } >= 3)
        let times = Set(gateway.asked.messages.filter { Self.number($0) == 2 }.map { $0.properties?["eventTime"] })
        #expect(times.count == 1 && times.first??.contains("T") == true, "\(times)")
        try await eventually("both are counted", every: .milliseconds(20)) {
            try await gateway.status().refusedInputs == 2 ? true : nil
        }
        try await mosquitto.publish("devices/box-1/modules/lvaEdge/inputs/a%0Ab%1Bc", "6")
        try await eventually("a name that would forge a line is in the log as topics have it", every: .milliseconds(20))
        {
            try String(contentsOfFile: gateway.folder + "/log", encoding: .utf8).contains("input a%0Ab%1Bc is")
                ? true : nil
        }
        await mosquitto.stop()
    }

    @Test("one that was being answered when cvr-gateway was killed is there for the next one")
    func killed() async throws {
        let mosquitto = try await Mosquitto()
        let (entered, arrival) = AsyncStream.makeStream(of: Void.self)
        let (never, held) = AsyncStream.makeStream(of: Void.self)
        defer { held.finish() }
        let first = try await DrivenGateway(broker: Self.broker(mosquitto)) { request in
            guard request.message != nil else { return GraphReply(status: 200) }
            arrival.yield()
            for await _ in never {}
            return GraphReply(status: 200)
        }
        try await Self.ready(first)
        try await mosquitto.publish("\(Self.topic)/eventTime=2026-01-02T03%3A04%3A05Z", lines: ["1", "2"])
        for await _ in entered { break }
        first.child.signal(SIGKILL)
        let second = try await DrivenGateway(broker: Self.broker(mosquitto))
        try await eventually("both", every: .milliseconds(20)) { Self.numbers(second) == [1, 2] ? true : nil }
        #expect(second.asked.messages.allSatisfy { $0.properties?["eventTime"] == "2026-01-02T03:04:05Z" })
        await mosquitto.stop()
    }
}
