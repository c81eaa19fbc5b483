package import Recording

/// Whose segment goes to the store next: a value that knows only what each camera offers.
///
/// What closed lately goes first and leaves the backlog a fifth of the bytes while both wait. Cameras of a lane have
/// their turns by deficit round-robin in bytes (Shreedhar and Varghese, 1995), so that large segments of one delay no
/// other. In the backlog only the cameras that have to evict first have turns.
package struct UploadSchedule: Sendable {
    package enum Lane: Hashable, Sendable {
        case live, backlog
    }

    /// What a camera would send next in one of the lanes.
    package struct Offer: Hashable, Sendable {
        package var camera: CameraName
        package var lane: Lane
        package var bytes: Int64
        package var end: WallTime
        /// How long its cache has room if nothing is uploaded; nil for as long as it likes.
        package var deadline: TimeSpan?

        package init(camera: CameraName, lane: Lane, bytes: Int64, end: WallTime, deadline: TimeSpan?) {
            self.camera = camera
            self.lane = lane
            self.bytes = bytes
            self.end = end
            self.deadline = deadline
        }
    }

    /// Of the bytes, as long as both lanes wait: at 1.25 times what is recorded an uplink still keeps up with it.
    private static let liveShare = 0.8

    private var sent: [Lane: Double] = [:]
    private var turns: [Lane: Turns] = [:]

    package init() {}

    /// The offer to take, which counts as sent; nil when there is none.
    package mutating func choose(among offers: [Offer]) -> Offer? {
        let live = offers.filter { $0.lane == .live }
        let backlog = Self.mostUrgent(offers.filter { $0.lane == .backlog })
        let bothWait = !live.isEmpty && !backlog.isEmpty
        if !bothWait { sent = [:] }
        var rest = turns[.backlog, default: Turns()]
        let late = rest.choose(among: backlog)
        let chosen: Offer?
        if let late, live.isEmpty || leavesLiveItsShare(late) {
            turns[.backlog] = rest
            chosen = late
        } else {
            chosen = turns[.live, default: Turns()].choose(among: live)
        }
        if bothWait, let chosen { sent[chosen.lane, default: 0] += Double(chosen.bytes) }
        return chosen
    }

    private func leavesLiveItsShare(_ late: Offer) -> Bool {
        let live = sent[.live, default: 0]
        return live >= Self.liveShare * (live + sent[.backlog, default: 0] + Double(late.bytes))
    }

    /// Those with the earliest deadlines, of which those within a factor of two tie: no forecast is finer.
    private static func mostUrgent(_ offers: [Offer]) -> [Offer] {
        guard let first = offers.compactMap(\.deadline).min() else { return offers }
        let tied = max(first * 2, .seconds(60))
        return offers.filter { $0.deadline.map { $0 <= tied } ?? false }
    }
}

/// Deficit round-robin between the cameras of one lane.
private struct Turns {
    /// Bytes that a camera may send before the others have had as many; kept only while it waits.
    private var credits: [CameraName: Int64] = [:]

    /// A round gives every camera as much as lets one of them send; of several that can, the newest segment goes first.
    mutating func choose(among offers: [UploadSchedule.Offer]) -> UploadSchedule.Offer? {
        var waiting: [CameraName: Int64] = [:]
        for offer in offers { waiting[offer.camera] = credits[offer.camera, default: 0] }
        credits = waiting
        let missing = offers.map { $0.bytes.subtractingSaturated(credits[$0.camera, default: 0]) }.min() ?? 0
        if missing > 0 { credits = credits.mapValues { $0.addingSaturated(missing) } }
        let chosen = offers.filter { $0.bytes <= credits[$0.camera, default: 0] }
            .max { ($0.end, $1.camera) < ($1.end, $0.camera) }
        if let chosen { credits[chosen.camera, default: 0] -= max(0, chosen.bytes) }
        return chosen
    }
}
