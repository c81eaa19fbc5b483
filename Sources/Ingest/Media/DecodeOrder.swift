package import FragmentedMP4
package import Recording

/// One frame of a track on the connection's media time, on its way to becoming a sample.
package struct TimedFrame: Hashable, Sendable {
    /// Index of the track.
    package var track: Int
    /// In the track's timescale.
    package var presentation: Int64
    package var decode: Int64 = 0
    /// From this decode time to the next of its track; an estimate only where the camera fell silent.
    package var duration: Int64 = 0
    package var isSync: Bool
    package var arrival: MonotonicTime
    package var cameraTime: WallTime?
    /// A keyframe's: what a decoder needs from here on.
    package var parameterSets: VideoParameterSets?
    package var data: [UInt8]

    package init(
        track: Int, presentation: Int64, isSync: Bool, arrival: MonotonicTime, cameraTime: WallTime? = nil,
        parameterSets: VideoParameterSets? = nil, data: [UInt8]
    ) {
        self.track = track
        self.presentation = presentation
        self.isSync = isSync
        self.arrival = arrival
        self.cameraTime = cameraTime
        self.parameterSets = parameterSets
        self.data = data
    }
}

/// Gives decode times to frames that come in decoding order with presentation times only.
///
/// RTP carries no decode time (RFC 6184 5.1). With at most `depth` pictures before any picture in decoding order and
/// after it in output, the n-th frame's decode time is the (n - depth)-th smallest presentation time; the first
/// `depth` frames lie before, at the frames' spacing. So composition offsets are not negative, which players agree
/// on, and decode times always rise.
package struct DecodeOrder: Sendable {
    package let depth: Int
    /// Presentation times that are not decode times yet; ascending, at most `depth` long between calls.
    private var window: [Int64] = []
    /// The first frames, until their spacing is known.
    private var held: [TimedFrame] = []
    private var isPrimed = false
    private var last: Int64?
    /// The first frame decodes right where the last one before ended.
    private var joins: Bool
    /// Decode times that had to be moved up to rise.
    package private(set) var repairs: Int64 = 0

    /// Decode times are at or above `floor`: the end of what was already given out.
    ///
    /// With `joins` the first is just that: the frame before was told to last until then.
    package init(depth: Int, after floor: Int64? = nil, joins: Bool = false) {
        self.depth = min(max(depth, 0), 16)
        self.joins = joins && floor != nil
        last = floor?.subtractingSaturated(1)
    }

    /// The decode time that a next frame of this presentation time will get; nil while the spacing is unknown.
    package func decode(ofNext presentation: Int64) -> Int64? {
        guard isPrimed else { return nil }
        let time = min(window.first ?? presentation, presentation)
        return max(time, last?.addingSaturated(1) ?? time)
    }

    /// Returns the frames whose decode time is known now, in order.
    package mutating func add(_ frame: TimedFrame) -> [TimedFrame] {
        window.insert(frame.presentation, at: window.firstIndex { $0 > frame.presentation } ?? window.endIndex)
        guard !isPrimed else { return [settled(frame, at: window.removeFirst())] }
        held.append(frame)
        return held.count > depth ? prime() : []
    }

    /// Gives out what is still held, when no more frames come to tell their spacing.
    package mutating func flush() -> [TimedFrame] { held.isEmpty ? [] : prime() }

    private mutating func prime() -> [TimedFrame] {
        let frames = held
        held = []
        isPrimed = true
        guard let first = window.first, let newest = window.last else { return [] }
        let spacing = newest.subtractingSaturated(first) / Int64(max(frames.count - 1, 1))
        return frames.enumerated().map { index, frame in
            guard index < depth else { return settled(frame, at: window.removeFirst()) }
            return settled(frame, at: first.subtractingSaturated(spacing.multipliedSaturated(Int64(depth - index))))
        }
    }

    private mutating func settled(_ frame: TimedFrame, at time: Int64) -> TimedFrame {
        var frame = frame
        let lowest = last?.addingSaturated(1) ?? time
        if time < lowest, !joins { repairs += 1 }
        frame.decode = joins ? lowest : max(time, lowest)
        joins = false
        // Without reordering the two are one, and no frame is shown before it is decoded.
        if depth == 0 { frame.presentation = max(frame.presentation, frame.decode) }
        last = frame.decode
        return frame
    }
}
