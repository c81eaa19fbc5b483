import ArgumentParser
import JSON
import Messages

struct EventsVerb: Verb {
    static let configuration = CommandConfiguration(commandName: "events", abstract: "Print the most recent events.")

    @Flag(help: "Then print each new event as it happens; with --json, one object per line.")
    var follow = false

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        if follow {
            try await admin.each("Events", as: Listing.Events.self, timeout: nil) { reply in
                for event in reply.events { admin.show(PrintedEvent(event)) { _ in Self.line(event) } }
            }
        } else {
            let events = try await admin.ask("Events", as: Listing.Events.self).events
            admin.show(events.map(PrintedEvent.init)) { _ in events.map(Self.line).joined() }
        }
    }

    private static func line(_ event: Listing.Event) -> String {
        Terminal.plain("\(event.time)  \(event.camera ?? "–")  \(event.type)  \(event.detail)") + "\n"
    }
}

/// An event as `--json` shows it: that of a media graph has an object for its detail.
struct PrintedEvent {
    /// LVA's envelope, whose `eventType` is the event's type.
    struct Graph {
        let topic: String
        let subject: String
        let eventTime: String
        let dataVersion: String
        let body: JSONValue
    }

    let time: String
    let type: String
    let camera: String?
    let detail: Any

    init(_ event: Listing.Event) {
        (time, type, camera) = (event.time, event.type, event.camera)
        detail =
            event.graph.map {
                Graph(
                    topic: $0.topic, subject: $0.subject, eventTime: $0.eventTime, dataVersion: $0.dataVersion,
                    body: $0.body)
            } ?? event.detail
    }
}
