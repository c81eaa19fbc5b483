package import JSON

/// Media graphs, as direct methods of Live Video Analytics reach them, and their events.
extension Admin {
    /// Parameters of `Graph`.
    package struct GraphCall: Codable, Hashable, Sendable {
        package var method: String
        package var payload: JSONValue?

        package init(method: String, payload: JSONValue?) {
            self.method = method
            self.payload = payload
        }

        /// Asks only: it is answered from memory.
        package var isQuestion: Bool {
            ["GraphTopologyGet", "GraphTopologyList", "GraphInstanceGet", "GraphInstanceList"].contains(method)
        }
    }

    /// Parameters of `SendMessage`.
    package struct InputMessage: Codable, Hashable, Sendable {
        package var input: String
        package var body: JSONValue?
        package var properties: [String: String]?

        package init(input: String, body: JSONValue?, properties: [String: String]? = nil) {
            self.input = input
            self.body = body
            self.properties = properties
        }
    }

    /// Names of the instances that a message reached.
    package struct Reached: Codable, Hashable, Sendable {
        package var instances: [String]

        package init(instances: [String]) { self.instances = instances }
    }

    /// Parameters of `GraphEvents`.
    package struct EventConsumer: Codable, Hashable, Sendable {
        package var consumer: String

        package init(consumer: String) { self.consumer = consumer }
    }

    /// An event on disk: `sequence` rises by one, for ever.
    package struct StoredEvent: Codable, Hashable, Sendable {
        package var sequence: Int64
        package var event: Listing.Event

        package init(sequence: Int64, event: Listing.Event) {
            self.sequence = sequence
            self.event = event
        }
    }

    package struct StoredEvents: Codable, Hashable, Sendable {
        package var events: [StoredEvent]

        package init(events: [StoredEvent]) { self.events = events }
    }

    /// Parameters of `AcknowledgeGraphEvents`: everything up to `sequence` was delivered.
    package struct Acknowledgement: Codable, Hashable, Sendable {
        package var consumer: String
        package var sequence: Int64

        package init(consumer: String, sequence: Int64) {
            self.consumer = consumer
            self.sequence = sequence
        }
    }
}

/// What a direct method answers: `status` is of HTTP, `payload` what was asked for, or LVA's error.
package struct GraphReply: Codable, Hashable, Sendable {
    package var status: Int64
    package var payload: JSONValue?

    package init(status: Int64, payload: JSONValue? = nil) {
        self.status = status
        self.payload = payload
    }
}
