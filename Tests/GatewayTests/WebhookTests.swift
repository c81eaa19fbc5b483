import Foundation
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
}
