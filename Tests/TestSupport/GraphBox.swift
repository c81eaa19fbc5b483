import Foundation
package import JSON
package import Messages
import Synchronization
package import Testing

/// A box whose media graphs are managed, by cvrctl or by its admin socket.
package final class GraphBox: Sendable {
    package let box: Box
    private let heard = Mutex<[Admin.StoredEvent]>([])

    package init(_ box: Box) { self.box = box }

    // By cvrctl

    package func set(
        _ kind: String, _ name: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let path = "\(box.root)/given-\(name).json"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try await run(kind, "set", path, sourceLocation: sourceLocation)
    }

    package func run(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
        // A deactivation waits for the store.
        let done = try await box.run(["graph"] + words, within: .seconds(180))
        #expect(
            done.ending == .exited(0), "graph \(words): \(done.text)\(done.errors)", sourceLocation: sourceLocation)
    }

    package func state(of instance: String) async throws -> String? {
        guard
            case .string(let state) = try await call("GraphInstanceGet", named: instance).payload["properties"]?[
                "state"]
        else { return nil }
        return state
    }

    package func until(_ instance: String, is state: String, within limit: Duration = .seconds(120)) async throws {
        try await eventually("\(instance) is \(state)", within: limit) {
            try await self.state(of: instance) == state ? true : nil
        }
    }

    // By the admin socket

    /// A direct method; `@apiVersion` is added where it is not there.
    package func call(_ method: String, _ payload: JSONValue) async throws -> (status: Int64, payload: JSONValue) {
        let reply = try await AdminConnection(to: box).call("Graph", Self.parameters(method, payload))
        guard case .integer(let status) = reply["status"] else { throw Missed("\(method): \(reply.text)") }
        return (status, reply["payload"] ?? .null)
    }

    package func call(_ method: String, named name: String) async throws -> (status: Int64, payload: JSONValue) {
        try await call(method, ["name": .string(name)])
    }

    /// What `AdminConnection` sends as `Graph`.
    package static func parameters(_ method: String, _ payload: JSONValue) -> JSONValue {
        let isVersioned = payload["@apiVersion"] != nil
        return ["method": .string(method), "payload": isVersioned ? payload : payload.setting("@apiVersion", "2.0")]
    }

    /// The instances that a message for an input reached.
    package func send(_ input: String) async throws -> [String] {
        let message: JSONValue = ["input": .string(input), "body": ["door": "open"]]
        guard case .array(let names) = try await AdminConnection(to: box).call("SendMessage", message)["instances"]
        else { return [] }
        return names.compactMap { if case .string(let name) = $0 { name } else { nil } }
    }

    // Events

    package func event(_ type: String) async throws {
        _ = try await box.events.first(type) { $0.contains("\"\(type)\"") ? true : nil }
    }

    /// Types of all events since cvrd answered.
    package func events() async throws -> [String] {
        try await box.events.lines.compactMap { line in
            // A line that is no event is none of ours.
            guard let event = try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)),
                case .string(let type) = event["type"]
            else { return nil }
            return type
        }
    }

    /// The events of an instance, or of all, on disk for those that they are delivered to, since the box was made: over
    /// restarts.
    package func told(of instance: String? = nil) async throws -> [ToldEvent] {
        while true {
            let connection = try AdminConnection(to: box)
            try connection.send("GraphEvents", ["consumer": "tests"])
            let reply = try await connection.answerText(to: "GraphEvents")
            let new = try JSONDecoder().decode(Reply.self, from: reply).parameters.events
            guard let last = new.last else { break }
            heard.withLock { heard in heard += new.filter { $0.sequence > heard.last?.sequence ?? 0 } }
            _ = try await connection.call(
                "AcknowledgeGraphEvents", ["consumer": "tests", "sequence": .integer(last.sequence)])
        }
        return heard.withLock { $0 }.compactMap { ToldEvent($0.event) }.filter {
            instance == nil || $0.instance == instance
        }
    }

    /// Waits until so many events of a type were told of an instance.
    package func until(
        _ type: String, of instance: String, count: Int = 1, within limit: Duration = .seconds(90)
    ) async throws {
        var all: [ToldEvent] = []
        do {
            try await eventually("\(type) of \(instance)", within: limit, every: .milliseconds(500)) {
                all = try await told(of: instance)
                return all.count { $0.type == type } >= count ? true : nil
            }
        } catch {
            throw Missed("\(error); there is \(all)")
        }
    }

    private struct Reply: Decodable {
        var parameters: Admin.StoredEvents
    }
}

/// An event of a media graph.
package struct ToldEvent: Sendable, CustomStringConvertible {
    /// As `Operational.RecordingStarted`.
    package let type: String
    package let instance: String
    /// As `sinks/assetSink`; empty of the instance itself.
    package let node: String
    package let envelope: GraphEvent

    init?(_ event: Listing.Event) {
        guard let graph = event.graph else { return nil }
        let parts = graph.subject.split(separator: "/").map(String.init)
        guard parts.first == "graphInstances", parts.count > 1 else { return nil }
        type = event.type.replacing("Microsoft.Media.Graph.", with: "")
        instance = parts[1]
        node = parts.dropFirst(2).joined(separator: "/")
        envelope = graph
    }

    package func body(_ name: String) -> String {
        guard case .string(let text) = envelope.body[name] else { return "" }
        return text
    }

    /// Type, node and body; of a body with an SDP that it has one.
    package var description: String {
        let sdp = body("sdp")
        let body = sdp.isEmpty ? envelope.body.text : sdp.hasPrefix("SDP:\nv=0") ? "sdp" : sdp
        return "\(type) \(node) \(body)"
    }
}
