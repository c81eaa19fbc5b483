internal import FragmentedMP4
internal import Recording

/// One connection's packets on their way to samples: access units, media time, decode times, durations.
///
/// Pure. Frames before the first keyframe that can be decoded are dropped, here and nowhere else.
struct Intake: Sendable {
    /// The streams that are recorded; the first is the one that segments are cut by.
    let streams: [StreamDescription]
    /// Why a stream that was announced is not among them.
    private(set) var refusals: [MP4Error] = []
    /// Timestamp repairs so far.
    var repairs: Int64 { lanes.reduce(retiredRepairs) { $0 + $1.order.repairs } }
    private(set) var parameterSets: VideoParameterSets?

    private var lanes: [Lane] = []
    private var timeline: MediaTimeline
    /// The source's stream index to ours.
    private var indices: [Int: Int] = [:]
    private var retiredRepairs: Int64 = 0

    /// Throws when nothing of what is announced can be recorded.
    init(_ announcement: Announcement) throws(MP4Error) {
        var kept: [StreamDescription] = []
        for (index, stream) in announcement.streams.enumerated() {
            do throws(MP4Error) {
                // Audio is checked by making its track; video has to wait for its parameter sets.
                let rate = stream.codec.isVideo ? 90_000 : try Track(stream: stream, parameterSets: nil).timescale
                indices[index] = kept.count
                lanes.append(Lane(track: kept.count, stream: stream, timescale: rate))
                kept.append(stream)
            } catch {
                refusals.append(error)
            }
        }
        guard let first = kept.first else {
            throw refusals.first ?? MP4Error("find streams", "the camera announces none", nextStep: "check its profile")
        }
        streams = kept
        timeline = MediaTimeline(tracks: lanes.map { ($0.stream.clockRate, $0.timescale) })
        if first.codec.isVideo {
            parameterSets = VideoParameterSets(codec: first.codec, annexB: first.configuration)
        }
    }

    var timescales: [Int64] { lanes.map(\.timescale) }

    /// What one packet led to.
    struct Yield {
        /// Samples whose duration is known now, in order.
        var frames: [TimedFrame] = []
        var anomaly: MediaTimeline.Anomaly?
        /// The packet was a frame of the first track, recorded or not.
        var isPrimary = false
    }

    mutating func take(_ packet: Packet, at arrival: MonotonicTime) -> Yield {
        guard let index = indices[packet.stream], lanes.indices.contains(index) else { return Yield() }
        return lanes[index].stream.codec.isVideo
            ? takeVideo(packet, index, arrival) : takeAudio(packet, index, arrival)
    }

    /// Gives every waiting frame an estimated duration: the camera fell silent.
    mutating func flush() -> [TimedFrame] { lanes.indices.flatMap { lanes[$0].flush() } }

    /// The same for the tracks that have been silent since before `time` while the first goes on.
    mutating func flushSecondary(silentSince time: MonotonicTime) -> [TimedFrame] {
        lanes.indices.dropFirst().flatMap { index in
            guard let waiting = lanes[index].waiting, waiting.arrival < time else { return [TimedFrame]() }
            return lanes[index].flush()
        }
    }

    private mutating func takeVideo(_ packet: Packet, _ index: Int, _ arrival: MonotonicTime) -> Yield {
        let codec = lanes[index].stream.codec
        let unit = AccessUnit(annexB: packet.data, codec: codec)
        if !unit.parameterSets.isEmpty { adopt(unit.parameterSets, codec) }
        var yield = Yield(isPrimary: index == 0)
        guard !unit.sample.isEmpty else { return yield }
        if unit.isKey, let sets = parameterSets, lanes[index].depth != sets.reorderDepth ?? 0 || !lanes[index].isOpen {
            // Other parameter sets may reorder otherwise: the decoder starts anew here, and so do decode times.
            yield.frames += lanes[index].reopen(depth: sets.reorderDepth ?? 0, retired: &retiredRepairs)
        }
        guard lanes[index].isOpen else { return yield }
        let placement = timeline.place(
            track: index, timestamp: packet.timestamp, arrival: arrival, nominal: lanes[index].lastDuration)
        yield.anomaly = placement.anomaly
        yield.frames += lanes[index].add(
            TimedFrame(
                track: index, presentation: placement.time, isSync: unit.isKey, arrival: arrival,
                cameraTime: packet.cameraTime, parameterSets: unit.isKey ? parameterSets : nil, data: unit.sample))
        return yield
    }

    private mutating func takeAudio(_ packet: Packet, _ index: Int, _ arrival: MonotonicTime) -> Yield {
        let nominal = lanes[index].stream.nominalDuration(of: packet.data)
        let placement = timeline.place(
            track: index, timestamp: packet.timestamp, arrival: arrival,
            nominal: lanes[index].previousNominal ?? nominal)
        lanes[index].previousNominal = nominal
        let frame = TimedFrame(
            track: index, presentation: placement.time, isSync: true, arrival: arrival, cameraTime: packet.cameraTime,
            data: packet.data)
        return Yield(frames: lanes[index].add(frame), anomaly: placement.anomaly, isPrimary: index == 0)
    }

    private mutating func adopt(_ inBand: [UInt8], _ codec: Codec) {
        // A set that cannot be read leaves the last good ones in force: the decoder has those.
        if let updated = parameterSets?.updated(by: inBand) ?? VideoParameterSets(codec: codec, annexB: inBand) {
            parameterSets = updated
        }
    }
}

/// One track's part of an intake: decode order, and the frame that waits for its successor to know its duration.
private struct Lane: Sendable {
    let track: Int
    let stream: StreamDescription
    let timescale: Int64
    private(set) var order: DecodeOrder
    private(set) var depth = 0
    /// Video is open from its first decodable keyframe on.
    private(set) var isOpen: Bool
    private(set) var waiting: TimedFrame?
    private(set) var lastDuration: Int64
    /// How long the last audio packet lasts by its own account.
    var previousNominal: Int64?
    private var end: Int64 = 0

    init(track: Int, stream: StreamDescription, timescale: Int64) {
        self.track = track
        self.stream = stream
        self.timescale = timescale
        order = DecodeOrder(depth: 0)
        isOpen = !stream.codec.isVideo
        lastDuration = timescale / 25
    }

    mutating func add(_ frame: TimedFrame) -> [TimedFrame] { order.add(frame).compactMap { step(to: $0) } }

    mutating func reopen(depth: Int, retired: inout Int64) -> [TimedFrame] {
        let frames = isOpen ? flush() : []
        retired = retired.addingSaturated(order.repairs)
        order = isOpen ? DecodeOrder(depth: depth, after: end) : DecodeOrder(depth: depth)
        self.depth = depth
        isOpen = true
        return frames
    }

    mutating func flush() -> [TimedFrame] {
        var frames = order.flush().compactMap { step(to: $0) }
        guard var last = waiting else { return frames }
        waiting = nil
        last.duration = lastDuration
        end = last.decode.addingSaturated(lastDuration)
        frames.append(last)
        return frames
    }

    /// The next frame in decoding order ends the one that waits.
    private mutating func step(to next: TimedFrame) -> TimedFrame? {
        var next = next
        // An estimate may have said that the last frame lasted longer than it did.
        next.decode = max(next.decode, end)
        if depth == 0 { next.presentation = next.decode }
        guard var frame = waiting else {
            waiting = next
            return nil
        }
        next.decode = max(next.decode, frame.decode.addingSaturated(1))
        frame.duration = next.decode.subtractingSaturated(frame.decode)
        lastDuration = frame.duration
        end = next.decode
        waiting = next
        return frame
    }
}

extension StreamDescription {
    /// How long an audio packet lasts by its own account, in the sample rate; 0 when it does not say.
    func nominalDuration(of data: [UInt8]) -> Int64 {
        switch codec {
        case .alaw, .ulaw: Int64(data.count / max(channels, 1))
        case .aac: 1024
        case .opus: Self.opusDuration(data)
        case .h264, .h265: 0
        }
    }

    /// In 48 kHz samples (RFC 6716 3.1).
    private static func opusDuration(_ data: [UInt8]) -> Int64 {
        guard let toc = data.first else { return 0 }
        let frame: Int64 =
            switch toc >> 3 {
            case 0..<12: [480, 960, 1920, 2880][Int(toc >> 3) % 4]
            case 12..<16: [480, 960][Int(toc >> 3) % 2]
            default: [120, 240, 480, 960][Int(toc >> 3) % 4]
            }
        let frames: Int64 =
            switch toc & 3 {
            case 0: 1
            case 1, 2: 2
            default: Int64(data.dropFirst().first ?? 1) & 63
            }
        return frame * frames
    }
}
