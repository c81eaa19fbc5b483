import JSON
package import Logging
package import Messages
package import Recording
import Synchronization

/// What happened on this box lately: a ring of recent events, and a live stream for each follower.
///
/// Nothing here is the only copy: gaps and sessions are in the journals. A follower that does not keep up is dropped.
package final class EventLog: Sendable {
    private struct Contents {
        var ring: [Listing.Event] = []
        var followers: [UInt64: AsyncStream<Listing.Event>.Continuation] = [:]
        var nextFollower: UInt64 = 0
    }

    package static let capacity = 1000
    package static let followerBuffer = 256
    private static let bodyLimit = 16 << 10

    private let contents = Mutex(Contents())
    private let logger: Logger

    package init(logger: Logger) { self.logger = logger }

    /// Records an event; its type says how loud it is logged, unless `level` does.
    package func append(
        _ type: String, camera: CameraName? = nil, at time: WallTime = .now, level: Logger.Level? = nil,
        _ detail: String
    ) {
        append(Listing.Event(time: time.rfc3339, type: type, camera: camera?.text, detail: detail), level: level)
    }

    package func append(_ event: Listing.Event, level: Logger.Level? = nil) {
        let event = Self.cut(event)
        let level = level ?? EventLevel.of(event.type)
        logger.log(level: level, "\(event.type): \(event.detail)", metadata: event.camera.map { ["camera": "\($0)"] })
        let followers = contents.withLock { contents in
            if contents.ring.count >= Self.capacity { contents.ring.removeFirst() }
            contents.ring.append(event)
            return contents.followers
        }
        // Outside the lock: whoever cancels a follower's task holds the runtime's lock on that task, which a yield
        // needs, and waits for ours.
        for (key, follower) in followers {
            if case .enqueued = follower.yield(event) { continue }
            _ = contents.withLock { $0.followers.removeValue(forKey: key) }
            follower.finish()
        }
    }

    /// What others say may be of any length, our memory is not (I9).
    private static func cut(_ event: Listing.Event) -> Listing.Event {
        func cut(_ text: String, _ limit: Int) -> String {
            text.utf8.count <= limit ? text : String(decoding: text.utf8.prefix(limit), as: UTF8.self)
        }
        return Listing.Event(
            time: cut(event.time, 64), type: cut(event.type, 64), camera: event.camera.map { cut($0, 64) },
            detail: cut(event.detail, 1000), graph: event.graph.map { Self.cut($0) })
    }

    /// Its body is whole wherever it is delivered; here a long one would cost a thousand times its length.
    private static func cut(_ event: GraphEvent) -> GraphEvent {
        guard event.body.text.utf8.count > bodyLimit else { return event }
        var short = event
        short.body = .null
        return short
    }

    package var recent: [Listing.Event] { contents.withLock { $0.ring } }

    /// The recent events and every later one; the stream ends when its reader falls behind.
    package func follow() -> (recent: [Listing.Event], later: AsyncStream<Listing.Event>) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Listing.Event.self, bufferingPolicy: .bufferingOldest(Self.followerBuffer))
        let (key, recent) = contents.withLock { contents in
            contents.nextFollower += 1
            contents.followers[contents.nextFollower] = continuation
            return (contents.nextFollower, contents.ring)
        }
        continuation.onTermination = { [weak self] _ in
            // Returned, so that its end comes after the lock's.
            _ = self?.contents.withLock { $0.followers.removeValue(forKey: key) }
        }
        return (recent, stream)
    }
}
