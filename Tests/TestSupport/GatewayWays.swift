import Foundation
import HTTP
package import JSON

/// The ways into a real cvr-gateway, and what it sends: LVA's methods over HTTP and MQTT, events by webhook and MQTT.
package struct GatewayWays: Sendable {
    /// What it lets in over HTTP.
    package static let token = "t0ken-canary-0123456789"
    /// What a hub subscribes to.
    package static let topics = ["$iothub/methods/res/#", "devices/box/modules/cvr/messages/events/#"]

    package let port: Int
    private let mosquitto: Mosquitto
    private let hub: ChildProcess

    /// `hub` is a subscriber of `topics`.
    package init(port: Int, mosquitto: Mosquitto, hub: ChildProcess) {
        (self.port, self.mosquitto, self.hub) = (port, mosquitto, hub)
    }

    /// Status and body of an answer over HTTP.
    package func ask(
        _ method: String, _ path: String, _ body: String? = nil
    ) async throws -> (status: Int, text: String) {
        let answer = try await Web.ask(
            HTTPRequest(
                method, "http://127.0.0.1:\(port)\(path)", headers: [("Authorization", "Bearer \(Self.token)")],
                body: body.map { .bytes(Array($0.utf8)) } ?? .none))
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    /// A direct method as LVA maps it to REST.
    package func rest(_ method: String, _ payload: String) async throws -> (status: Int, text: String) {
        let kind = method.contains("Topology") ? "GraphTopology" : "GraphInstance"
        let verb = String(method.dropFirst(kind.count))
        let name = try JSONValue(parsing: payload)["name"].map { "/" + $0.text.replacing("\"", with: "") } ?? ""
        let (call, path) =
            switch verb {
            case "Set": ("PUT", "")
            case "List": ("GET", "")
            case "Get": ("GET", name)
            case "Delete": ("DELETE", name)
            default: ("POST", "\(name)/\(verb.lowercased())")
            }
        return try await ask(call, "/api/\(kind)\(path)", verb == "Set" ? payload : nil)
    }

    /// Status and payload of a direct method's answer by MQTT.
    package func call(_ method: String, _ payload: String) async throws -> (status: Int, text: String) {
        let request = UUID().uuidString
        try await mosquitto.publish("$iothub/methods/POST/\(method)/?$rid=\(request)", payload)
        let line = try await hub.output.first("the answer to \(method)", within: .seconds(120)) { line in
            line.hasPrefix("$iothub/methods/res/") && line.contains("/?$rid=\(request)\t") ? line : nil
        }.found
        let status = line.split(separator: "/").dropFirst(3).first.flatMap { Int($0) } ?? 0
        return (status, String(line.split(separator: "\t").last ?? ""))
    }
}

/// An event of a media graph as it arrived from a box.
package struct ArrivedEvent: Hashable, Sendable {
    /// The same by each way, and each time that it is sent.
    package var id: String
    package var topic: String
    package var subject: String
    /// As `Microsoft.Media.Graph.Operational.RecordingStarted`.
    package var eventType: String
    package var eventTime: String
    package var dataVersion: String
    package var correlation: String
    package var body: JSONValue

    /// As `RecordingStarted`.
    package var type: String { eventType.split(separator: ".").last.map(String.init) ?? "" }

    private init(_ members: [String: String], body: JSONValue) {
        id = members["id"] ?? members["$.mid"] ?? ""
        (topic, subject) = (members["topic"] ?? "", members["subject"] ?? "")
        (eventType, eventTime) = (members["eventType"] ?? "", members["eventTime"] ?? "")
        (dataVersion, correlation) = (members["dataVersion"] ?? "", members["correlationId"] ?? "")
        self.body = body
    }

    /// Nil for what is no JSON object.
    package init?(_ event: JSONValue, body: String) {
        guard case .object(let members) = event else { return nil }
        let texts = members.compactMapValues { if case .string(let text) = $0 { text } else { nil } }
        self.init(texts, body: members[body] ?? .null)
    }

    /// Nil for a line of a hub that is no event.
    package init?(line: String) throws {
        let parts = line.split(separator: "\t", maxSplits: 1)
        guard let topic = parts.first, topic.hasPrefix("devices/box/modules/cvr/messages/events/") else { return nil }
        let pairs = topic.split(separator: "/").last?.split(separator: "&").map { $0.split(separator: "=") } ?? []
        let bag = pairs.map { (String($0.first ?? ""), $0.last?.removingPercentEncoding ?? "") }
        self.init(
            Dictionary(bag, uniquingKeysWith: { $1 }), body: try JSONValue(parsing: String(parts.last ?? "")))
    }

    /// What the webhooks were sent, in order.
    package static func by(_ hooks: Hook...) throws -> [ArrivedEvent] {
        try hooks.flatMap(\.requests).compactMap {
            ArrivedEvent(try JSONValue(parsing: $0["body"] ?? ""), body: "data")
        }
    }

    /// What came to a hub, in order.
    package static func by(_ hub: ChildProcess) throws -> [ArrivedEvent] {
        try hub.output.lines.compactMap { try ArrivedEvent(line: $0) }
    }
}
