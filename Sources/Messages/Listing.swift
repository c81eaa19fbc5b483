/// Questions about a camera's footage and their answers: the same in `io.cvr.Admin` and `io.cvr.Sync`, so that
/// cvrd passes them through.
package enum Listing {
    /// Parameters of `Segments`, `Gaps` and `Coverage`.
    package struct Query: Codable, Hashable, Sendable {
        package var camera: String
        package var from: String?
        package var to: String?

        package init(camera: String, from: String? = nil, to: String? = nil) {
            self.camera = camera
            self.from = from
            self.to = to
        }
    }

    package struct Segment: Codable, Hashable, Sendable {
        package var key: String
        package var session: Int64
        package var counter: Int64
        package var start: String
        package var duration: Double
        package var bytes: Int64
        package var frames: Int64
        package var state: String
        package var local: Bool

        package init(
            key: String, session: Int64, counter: Int64, start: String, duration: Double, bytes: Int64, frames: Int64,
            state: String, local: Bool
        ) {
            self.key = key
            self.session = session
            self.counter = counter
            self.start = start
            self.duration = duration
            self.bytes = bytes
            self.frames = frames
            self.state = state
            self.local = local
        }
    }

    package struct Segments: Codable, Hashable, Sendable {
        package var segments: [Segment]

        package init(segments: [Segment]) { self.segments = segments }
    }

    package struct Gap: Codable, Hashable, Sendable {
        package var from: String
        package var to: String?
        package var reason: String
        package var detail: String

        package init(from: String, to: String?, reason: String, detail: String) {
            self.from = from
            self.to = to
            self.reason = reason
            self.detail = detail
        }
    }

    package struct Gaps: Codable, Hashable, Sendable {
        package var gaps: [Gap]

        package init(gaps: [Gap]) { self.gaps = gaps }
    }

    package struct Span: Codable, Hashable, Sendable {
        package var from: String
        package var to: String
        package var kind: String
        package var reason: String?
        package var state: String?

        package init(from: String, to: String, kind: String, reason: String?, state: String?) {
            self.from = from
            self.to = to
            self.kind = kind
            self.reason = reason
            self.state = state
        }
    }

    package struct Coverage: Codable, Hashable, Sendable {
        package var from: String
        package var to: String
        package var recorded: Double
        package var percent: Double
        package var spans: [Span]

        package init(from: String, to: String, recorded: Double, percent: Double, spans: [Span]) {
            self.from = from
            self.to = to
            self.recorded = recorded
            self.percent = percent
            self.spans = spans
        }
    }

    package struct Event: Codable, Hashable, Sendable {
        package var time: String
        package var type: String
        package var camera: String?
        package var detail: String
        /// Of an event of a media graph, whose `eventType` is `type`.
        package var graph: GraphEvent?

        package init(time: String, type: String, camera: String?, detail: String, graph: GraphEvent? = nil) {
            self.time = time
            self.type = type
            self.camera = camera
            self.detail = detail
            self.graph = graph
        }
    }

    package struct Events: Codable, Hashable, Sendable {
        package var events: [Event]

        package init(events: [Event]) { self.events = events }
    }
}
