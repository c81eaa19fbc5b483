internal import FragmentedMP4
internal import Recording

/// One frame of a track on the connection's media time, on its way to becoming a sample.
struct TimedFrame: Hashable, Sendable {
    /// Index of the track.
    var track: Int
    /// In the track's timescale.
    var presentation: Int64
    var decode: Int64 = 0
    /// From this decode time to the next of its track; an estimate only where the camera fell silent.
    var duration: Int64 = 0
    var isSync: Bool
    var arrival: MonotonicTime
    var cameraTime: WallTime?
    /// A keyframe's: what a decoder needs from here on.
    var parameterSets: VideoParameterSets?
    var data: [UInt8]
}

/// Gives decode times to frames that come in decoding order with presentation times only.
///
/// RTP carries no decode time (RFC 6184 5.1). With at most `depth` pictures before any picture in decoding order and
/// after it in output, the n-th frame's decode time is the (n - depth)-th smallest presentation time, shifted so that
/// decoding starts with the first presentation. Composition offsets may be negative, and decode times always rise.
struct DecodeOrder: Sendable {
    private let depth: Int
    /// Presentation times that are not decode times yet; ascending, at most `depth` long between calls.
    private var window: [Int64] = []
    /// The first frames, until their spacing is known.
    private var held: [TimedFrame] = []
    private var shift: Int64?
    private var last: Int64?
    /// Decode times that had to be moved up to rise.
    private(set) var repairs: Int64 = 0

    init(depth: Int) { self.depth = min(max(depth, 0), 16) }

    /// Decode times stay at or above `floor`: the end of what was already given out.
    init(depth: Int, after floor: Int64) {
        self.init(depth: depth)
        last = floor.subtractingSaturated(1)
    }

    /// Returns the frames whose decode time is known now, in order.
    mutating func add(_ frame: TimedFrame) -> [TimedFrame] {
        window.insert(frame.presentation, at: window.firstIndex { $0 > frame.presentation } ?? window.endIndex)
        guard shift == nil else { return [timed(frame)] }
        held.append(frame)
        return held.count > depth ? prime() : []
    }

    /// Gives out what is still held, when no more frames come to tell their spacing.
    mutating func flush() -> [TimedFrame] { shift == nil && !held.isEmpty ? prime() : [] }

    private mutating func prime() -> [TimedFrame] {
        let frames = held
        held = []
        guard let first = window.first, let newest = window.last else { return [] }
        let steps = Int64(max(frames.count - 1, 1))
        let span = newest.subtractingSaturated(first)
        shift = frames.count > depth ? span : span / steps * Int64(depth)
        let early = (0..<min(frames.count, depth)).map { first.addingSaturated((span / steps) * Int64($0)) }
        return zip(frames.indices, frames).map { index, frame in
            index < early.count ? settled(frame, at: early[index]) : timed(frame)
        }
    }

    private mutating func timed(_ frame: TimedFrame) -> TimedFrame {
        let earliest = window.isEmpty ? frame.presentation : window.removeFirst()
        return settled(frame, at: earliest.addingSaturated(shift ?? 0))
    }

    private mutating func settled(_ frame: TimedFrame, at time: Int64) -> TimedFrame {
        var frame = frame
        let lowest = last?.addingSaturated(1) ?? time
        if time < lowest { repairs += 1 }
        frame.decode = max(time, lowest)
        // Without reordering the two are one.
        if depth == 0 { frame.presentation = frame.decode }
        last = frame.decode
        return frame
    }
}
