package import JSON

/// An event of a media graph, as Live Video Analytics has it; its `eventType` is the type of the event that carries it.
package struct GraphEvent: Codable, Hashable, Sendable {
    package var topic: String
    /// `/graphInstances/INSTANCE`, and `/sources/NODE`, `/processors/NODE` or `/sinks/NODE` where it is a node's.
    package var subject: String
    /// RFC 3339, UTC, milliseconds.
    package var eventTime: String
    package var dataVersion: String
    package var body: JSONValue
    /// The same for all events of one activation of a signal gate.
    package var correlationId: String?
    /// Where an IoT Hub message sink sends it; nil for operational and diagnostic events.
    package var output: String?

    package init(
        topic: String, subject: String, eventTime: String, dataVersion: String = "1.0", body: JSONValue,
        correlationId: String? = nil, output: String? = nil
    ) {
        self.topic = topic
        self.subject = subject
        self.eventTime = eventTime
        self.dataVersion = dataVersion
        self.body = body
        self.correlationId = correlationId
        self.output = output
    }
}
