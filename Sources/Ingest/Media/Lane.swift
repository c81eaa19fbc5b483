internal import Recording

/// A frame that has begun: its source timestamp, where that was placed, and when.
struct Announced: Sendable {
    let timestamp: Int64
    let time: Int64
    let arrival: MonotonicTime
}

/// One track's part of an intake: decode order, and the frame that waits for its successor to know its duration.
struct Lane: Sendable {
    let track: Int
    let stream: StreamDescription
    let timescale: Int64
    /// Video is open from its first decodable keyframe on.
    private(set) var isOpen: Bool
    private(set) var waiting: TimedFrame?
    private(set) var lastDuration: Int64
    /// How long the last audio packet lasts by its own account.
    var previousNominal: Int64?
    private var order = DecodeOrder(depth: 0)
    private var pastRepairs: Int64 = 0
    /// Where the last frame that was given out ends, and whether that is an estimate.
    private var end: Int64?
    private var isEndEstimated = false
    private var intervals = Intervals()
    /// Where the next frame lies: it has begun, but is not whole yet.
    var announced: Announced?
    /// The last presentation times of video whose parameter sets do not say how far it reorders, how far it did since
    /// the last keyframe, and in the whole group before.
    private var recent: [Int64] = []
    private var groupDepth = 0
    private(set) var seenDepth: Int
    /// A whole group is being seen.
    private var isLearning = false

    /// `seenDepth` is how far the camera reordered when it was last connected.
    init(track: Int, stream: StreamDescription, timescale: Int64, seenDepth: Int) {
        self.seenDepth = seenDepth
        self.track = track
        self.stream = stream
        self.timescale = timescale
        isOpen = !stream.codec.isVideo
        lastDuration = timescale / 25
    }

    var repairs: Int64 { pastRepairs.addingSaturated(order.repairs) }

    /// At a keyframe: other parameter sets may reorder otherwise, so decode times start anew; gives out what waits.
    mutating func open(depth: Int?) -> [TimedFrame] {
        let depth = depth ?? seenDepth
        guard !isOpen || depth != order.depth else { return [] }
        let frames = isOpen ? flush() : []
        isOpen = true
        restart(depth: depth)
        return frames
    }

    mutating func add(_ frame: TimedFrame) -> [TimedFrame] { order.add(frame).compactMap { step(to: $0) } }

    /// The frame that waits ends where the next one, just announced, begins.
    mutating func conclude() -> TimedFrame? {
        guard let announced, let frame = waiting, let next = order.decode(ofNext: announced.time) else { return nil }
        waiting = nil
        return ended(frame, by: next)
    }

    /// Gives out everything, the last frame with an estimated duration: nothing follows soon.
    mutating func flush() -> [TimedFrame] {
        var frames = order.flush().compactMap { step(to: $0) }
        guard var last = waiting else { return frames }
        waiting = nil
        last.duration = max(previousNominal ?? lastDuration, 1)
        end = last.decode.addingSaturated(last.duration)
        isEndEstimated = true
        frames.append(last)
        // What comes next is not displayed among what is past.
        restart(depth: order.depth)
        return frames
    }

    /// Learns how far frames are displayed after frames that follow them; counts from the next keyframe on.
    ///
    /// Per group of pictures, so that one hiccup of timestamps is not held against a camera for ever.
    mutating func watchReordering(_ presentation: Int64) {
        groupDepth = max(groupDepth, recent.count { $0 > presentation })
        recent.append(presentation)
        if recent.count > 16 { recent.removeFirst() }
    }

    /// A keyframe: the group before it is whole.
    mutating func endGroup() {
        if isLearning { seenDepth = groupDepth }
        (groupDepth, isLearning, recent) = (0, true, [])
    }

    private mutating func restart(depth: Int) {
        pastRepairs = repairs
        order = DecodeOrder(depth: depth, after: end, joins: !isEndEstimated)
    }

    /// The next frame in decoding order ends the one that waits.
    private mutating func step(to next: TimedFrame) -> TimedFrame? {
        defer { waiting = next }
        return waiting.map { ended($0, by: next.decode) }
    }

    /// A frame lasts until the next one, unless that comes so late that frames are missing in between (design §2).
    private mutating func ended(_ frame: TimedFrame, by next: Int64) -> TimedFrame {
        var frame = frame
        frame.duration = next.subtractingSaturated(frame.decode)
        let span = TimeSpan(microseconds: frame.duration.scaled(by: 1_000_000, over: timescale))
        isEndEstimated = span > Intervals.leastPatience && span > intervals.patience
        if isEndEstimated {
            frame.duration = min(max(previousNominal ?? lastDuration, 1), frame.duration)
        } else {
            lastDuration = frame.duration
        }
        intervals.add(span)
        end = frame.decode.addingSaturated(frame.duration)
        return frame
    }
}
