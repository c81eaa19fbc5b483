import Foundation
import Gateway
import JSON
import Messages
import Recording
import TestSupport
import Testing

@Suite("Gateway: webhooks", .timeLimit(.minutes(1)))
struct WebhookTests {
    @Test(
        "each event is one POST in Event Grid's form, in order; what is not taken is sent again, and holds nobody else up"
    )
    func posts() async throws {
        let (good, bad) = (try await Hook(), try await Hook())
        try await bad.answer(503)
        let gateway = try await DrivenGateway(webhooks: [
            GatewayInterface.Webhook(
                name: "good", url: good.url, header: "aeg-sas-key", credential: Secret("h00k-secret")),
            GatewayInterface.Webhook(name: "bad", url: bad.url),
        ])
        let events = (1...5).map { storedEvent($0) }
        async let slow: Void = gateway.deliver(events, to: "webhook.bad")
        try await gateway.deliver(events, to: "webhook.good")
        try await good.request(holding: "a&b=5/")
        let sent = good.requests
        #expect(sent.count == 5 && sent.allSatisfy { $0["aeg-sas-key"] == "h00k-secret" && $0["method"] == "POST" })
        #expect(sent[0]["target"] == "/events?code=1" && sent[0]["content-type"]?.hasPrefix("application/json") == true)
        let bodies = try sent.map { try JSONDecoder().decode(JSONValue.self, from: Data(($0["body"] ?? "").utf8)) }
        #expect(bodies.map { $0["data"]?["outputLocation"] } == (1...5).map { .string("a&b=\($0)/ü") })
        let first = bodies[0]
        #expect(first["topic"] == .string("/sites/test/boxes/b") && first["dataVersion"] == .string("1.0"))
        #expect(first["subject"] == .string("/graphInstances/Front/sinks/assetSink"))
        #expect(first["eventType"] == .string("Microsoft.Media.Graph.Operational.RecordingStarted"))
        #expect(first["eventTime"] == .string("2026-01-02T03:04:05.678Z"))
        #expect(Set(bodies.map { $0["id"] }).count == 5)
        try await bad.request(holding: "a&b=1")
        let away = try await eventually("it is away", every: .milliseconds(20)) {
            try await gateway.status().consumers.first { $0.name == "webhook.bad" && $0.state == "away" }
        }
        #expect(away.lastError?.code == "webhookAway" && away.lastError?.message.contains("503") == true)
        #expect(away.lastError?.message.contains("code=1") == false, "a query may hold a secret")
        try await bad.answer(200)
        try await slow
        try await bad.request(holding: "a&b=5/")
        let taken = bad.requests.filter { $0["answered"] == "200" }
        #expect(taken.count == 5 && bad.requests.count > 5)
        for (number, request) in taken.enumerated() {
            #expect(request["body"]?.contains("a&b=\(number + 1)/") == true)
        }
    }

    @Test("an event that is refused for what it holds is given up after some tries, not one that nobody may send")
    func refused() async throws {
        let hook = try await Hook()
        let webhook = Webhook(
            GatewayInterface.Webhook(name: "a", url: hook.url), box: "test",
            patience: Refusals(most: 3, span: .zero))
        try await hook.answer(413)
        let first = try await webhook.deliver([storedEvent(1), storedEvent(2)])
        #expect(first.sequence == 1 && first.refusal?.contains("413") == true && hook.requests.count == 3)
        #expect(first.refusal?.contains("code=1") == false, "a query may hold a secret")
        try await hook.answer(401)
        async let second = webhook.deliver([storedEvent(2), storedEvent(3)])
        for _ in 1...2 { try await hook.request(holding: "a&b=2") }
        try await hook.answer(200)
        #expect(try await second == GatewayInterface.Delivered(sequence: 3))
    }

    @Test("both the number of tries and their time must be over, of one event")
    func patience() {
        var refusals = Refusals(most: 3, span: .seconds(60))
        let start = ContinuousClock.now
        var givenUp: [String] = []
        // The next event begins anew.
        for (sequence, seconds) in [(1, 0), (1, 1), (1, 2), (1, 59), (1, 60), (2, 60), (2, 121), (2, 122)] {
            let isOver = refusals.refused(Int64(sequence), at: start + .seconds(seconds))
            if isOver { givenUp.append("\(sequence) after \(seconds) s") }
            #expect(refusals.suspects(Int64(sequence)) && !refusals.suspects(3))
        }
        #expect(givenUp == ["1 after 60 s", "2 after 122 s"])
    }
}
