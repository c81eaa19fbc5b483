import Foundation
package import Messages
package import Recording
import Synchronization

/// What an operator wants to see in `cvrctl events`: the recent ones, and each new one for whoever listens.
///
/// A listener that does not keep up loses the oldest: events repeat facts that are also in the catalog or a journal.
package final class EventLog: Sendable {
    private struct State {
        var recent: [Listing.Event] = []
        /// Those that nobody listened to.
        var unheard: [Listing.Event] = []
        var listeners: [UUID: AsyncStream<Listing.Event>.Continuation] = [:]
    }

    private static let kept = 100
    private let state = Mutex(State())
    private let report: @Sendable (Listing.Event) -> Void

    /// `report` is called with each event that nobody follows (cvrd logs the others), from whatever thread it
    /// happens on.
    package init(report: @escaping @Sendable (Listing.Event) -> Void = { _ in }) { self.report = report }

    package var recent: [Listing.Event] { state.withLock { $0.recent } }

    package func tell(_ type: String, camera: CameraName?, at time: WallTime, _ detail: String) {
        let event = Listing.Event(time: time.rfc3339, type: type, camera: camera?.text, detail: detail)
        let listeners = state.withLock { state in
            state.recent.append(event)
            if state.recent.count > Self.kept { state.recent.removeFirst() }
            if state.listeners.isEmpty { state.unheard = (state.unheard + [event]).suffix(Self.kept) }
            return Array(state.listeners.values)
        }
        if listeners.isEmpty { report(event) }
        for listener in listeners { listener.yield(event) }
    }

    /// Each event from now on, until the stream is dropped, after those that nobody has heard yet.
    package func follow() -> AsyncStream<Listing.Event> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Listing.Event.self, bufferingPolicy: .bufferingNewest(256))
        let id = UUID()
        state.withLock { state in
            for event in state.unheard { continuation.yield(event) }
            state.unheard = []
            state.listeners[id] = continuation
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }
}
