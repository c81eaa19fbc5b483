import Foundation
import Gateway
import Glibc
import JSON
import Logging
import Messages
import Recording
import Synchronization
import TestSupport
import Testing

/// Brokers that do not take what they are sent, and the end of the process beside them.
@Suite("Gateway: MQTT in trouble", .timeLimit(.minutes(1)))
struct BrokerEndingsTests {
    private let folder = DrivenGateway.newFolder()

    /// A broker's client in this process, with a cvrd that reads; ended with the body.
    private func withBroker(
        _ mosquitto: Mosquitto, refusals: Refusals = Refusals(), patience: Duration? = nil,
        _ body: (Broker) async throws -> Void
    ) async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        let desk = RequestDesk()
        let requests = desk.requests()
        let settings = GatewayInterface.Broker(host: "127.0.0.1", port: Int64(mosquitto.port), device: "d", module: "m")
        let broker = try Broker(
            settings, box: "test", run: folder, desk: desk, log: Logger(label: "test"), refusals: refusals,
            patience: patience)
        broker.start()
        try await eventually("it is connected", every: .milliseconds(20)) {
            broker.condition.consumer("mqtt").state == "ready" ? true : nil
        }
        try await body(broker)
        await broker.stop()
        withExtendedLifetime(requests) {}
        await mosquitto.stop()
    }

    @Test("a broker that lives and acknowledges nothing is left, and gets the events once it does")
    func silent() async throws {
        let mosquitto = try await Mosquitto()
        try await withBroker(mosquitto, patience: .milliseconds(500)) { broker in
            mosquitto.freeze(true)
            async let taken = broker.deliver([storedEvent(1), storedEvent(2)])
            try await eventually("it is told", every: .milliseconds(20)) {
                broker.condition.consumer("mqtt").lastError?.message.contains("not acknowledged") == true ? true : nil
            }
            mosquitto.freeze(false)
            #expect(try await taken.sequence == 2)
        }
    }

    @Test(
        "an event at which the broker ends each session is tried less and less often, given up, and those behind it go on"
    )
    func poison() async throws {
        let mosquitto = try await Mosquitto(lines: ["max_packet_size 4000"])
        try await withBroker(mosquitto, refusals: Refusals(most: 3, span: .zero)) { broker in
            var large = storedEvent(2)
            large.event.graph?.body = .string(String(repeating: "a", count: 4000))
            var (rest, answers) = ([storedEvent(1), large, storedEvent(3)], [GatewayInterface.Delivered]())
            while !rest.isEmpty {
                let answer = try await broker.deliver(rest)
                answers.append(answer)
                rest.removeAll { $0.sequence <= answer.sequence }
            }
            #expect(answers.map(\.sequence) == [1, 2, 3] && answers.map { $0.refusal != nil } == [false, true, false])
            // One for the first connection, one after each of three or four ends.
            #expect(mosquitto.log.count { $0.contains("New client connected") && $0.contains("as d/m") } <= 6)
        }
    }

    @Test("an event that fits into no topic is given up at once, and those behind it go on in the same session")
    func impossible() async throws {
        let mosquitto = try await Mosquitto()
        try await withBroker(mosquitto) { broker in
            var strange = storedEvent(2)
            strange.event.graph?.subject = String(repeating: "ü", count: 20_000)
            var (rest, answers) = ([storedEvent(1), strange, storedEvent(3)], [GatewayInterface.Delivered]())
            while !rest.isEmpty {
                let answer = try await broker.deliver(rest)
                answers.append(answer)
                rest.removeAll { $0.sequence <= answer.sequence }
            }
            #expect(answers.map(\.sequence) == [1, 2, 3] && answers.map { $0.refusal != nil } == [false, true, false])
            #expect(mosquitto.log.count { $0.contains("New client connected") && $0.contains("as d/m") } == 1)
        }
    }

    @Test("without the certificate of who signed the broker's, nothing goes to it, in the clear or otherwise")
    func unsecured() async throws {
        let certificates = DrivenGateway.newFolder()
        try FileManager.default.createDirectory(atPath: certificates, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: certificates) }  // A leftover in /tmp fails no test.
        let port = try freePort()
        var settings = GatewayInterface.Broker(
            host: "127.0.0.1", port: Int64(port), isTLS: true, device: "d", module: "m")
        (settings.username, settings.password) = ("cvr", Secret("br0ker-secret"))
        settings.certificateAuthority = try await Certificate(in: certificates).authority
        let gateway = try await DrivenGateway(broker: settings)
        func away(_ words: String) async throws {
            try await eventually(words, every: .milliseconds(20)) {
                try await gateway.status().consumers.first?.lastError?.message.contains(words) == true ? true : nil
            }
        }
        try await away("refused")
        try FileManager.default.removeItem(atPath: gateway.folder + "/broker-authority.pem")
        let mosquitto = try await Mosquitto(port: port)
        try await away("cannot be secured")
        #expect(!mosquitto.log.contains { $0.contains("d/m") }, "\(mosquitto.log)")
        await mosquitto.stop()
    }

    @Test("broker and webhook that hang do not delay the end")
    func hanging() async throws {
        let (mosquitto, hook) = (try await Mosquitto(), try await Hook())
        mosquitto.freeze(true)
        try await hook.answer(0)
        // Its greeting is never answered: the thread waits in it.
        let broker = GatewayInterface.Broker(
            host: "127.0.0.1", port: Int64(mosquitto.port), isTLS: true, device: "d", module: "m")
        let gateway = try await DrivenGateway(
            webhooks: [GatewayInterface.Webhook(name: "slow", url: hook.url)], broker: broker)
        let delivery = Task { try await gateway.deliver([storedEvent(1)], to: "webhook.slow") }
        defer { delivery.cancel() }
        try await hook.request(holding: "a&b=1")
        let start = ContinuousClock.now
        gateway.child.signal(SIGTERM)
        #expect(try await gateway.child.end(within: .seconds(10)) == .exited(0))
        #expect(ContinuousClock.now - start < .seconds(3))
        mosquitto.freeze(false)
        await mosquitto.stop()
    }

    @Test("what a broker's authority left is gone with it")
    func leftover() async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/broker-authority.pem"
        try Data("pem".utf8).write(to: URL(filePath: path))
        let gateway = try await DrivenGateway(folder: folder)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(gateway.child.isRunning)
    }

    @Test("what nobody waits for any more is not handed to a cvrd that reads late")
    func late() async throws {
        let desk = RequestDesk()
        var ids = desk.requests().makeAsyncIterator()
        async let reply = desk.ask(
            Admin.GraphCall(method: "GraphInstanceList", payload: nil), within: .milliseconds(20))
        let id = try #require(await ids.next())
        #expect(desk.request(id)?.call?.method == "GraphInstanceList")
        #expect(await reply.status == 504)
        #expect(desk.request(id) == nil)
    }
}
