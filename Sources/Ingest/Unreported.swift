internal import Messages
internal import Recording

/// What nobody was there to hear: kept as one event a kind, and told to the next cvrd.
///
/// Which windows were closed is not kept: whoever asked for them asks again.
///
/// Everything in it is on disk too; this is for the operator's eye. Bounded by the kinds there are (I9).
struct Unreported {
    private struct Kind {
        var count: Int64
        var type: String
        var lastAt: WallTime
        var last: String
    }

    private static let mostKinds = 32
    private var kinds: [Kind] = []

    mutating func add(_ message: IngestToSupervisor, at now: WallTime) {
        guard let (type, at, detail) = Self.event(of: message, now) else { return }
        if let index = kinds.firstIndex(where: { $0.type == type }) {
            kinds[index].count += 1
            (kinds[index].lastAt, kinds[index].last) = (at, detail)
        } else if kinds.count < Self.mostKinds {
            kinds.append(Kind(count: 1, type: type, lastAt: at, last: detail))
        }
    }

    /// The events to tell, in the order in which the kinds first happened.
    mutating func take() -> [IngestToSupervisor] {
        defer { kinds = [] }
        return kinds.map { kind in
            .event(
                type: kind.type, at: kind.lastAt,
                detail: kind.type == "mediaSessionEstablished"
                    ? kind.last : "\(kind.count) while no cvrd listened, the last: \(kind.last)")
        }
    }

    /// Nil for what the next message of its kind replaces.
    private static func event(
        of message: IngestToSupervisor, _ now: WallTime
    ) -> (type: String, at: WallTime, detail: String)? {
        switch message {
        case .hello, .progress, .readyToSucceed, .event("windowClosed", _, _): nil
        case .sessionStarted(let session, let at, _): ("sessionStarted", at, "session \(session)")
        case .segmentClosed(let id, let start, _, _):
            ("segmentClosed", now, "session \(id.session), segment \(id.counter), from \(start.rfc3339)")
        case .gapOpened(let from, let reason, let detail):
            ("gapOpened", now, "\(reason.rawValue) since \(from.rfc3339): \(detail)")
        case .gapClosed(let from, let to, let reason):
            ("gapClosed", now, "\(reason.rawValue) from \(from.rfc3339) to \(to.rfc3339)")
        case .event(let type, let at, let detail): (type, at, detail)
        }
    }
}
