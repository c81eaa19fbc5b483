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
    var repairs: Int64 { lanes.reduce(0) { $0 + $1.repairs } }
    private(set) var parameterSets: VideoParameterSets?

    private var lanes: [Lane] = []
    private var timeline: MediaTimeline
    /// The source's stream index to ours.
    private var indices: [Int: Int] = [:]

    /// How far the camera reorders pictures, as far as it was seen: for its next connection.
    var seenDepth: Int { lanes.first?.seenDepth ?? 0 }

    /// Throws when nothing of what is announced can be recorded.
    init(_ announcement: Announcement, seenDepth: Int = 0) throws(MP4Error) {
        var kept: [StreamDescription] = []
        for (index, stream) in announcement.streams.enumerated() {
            do throws(MP4Error) {
                // Audio is checked by making its track; video has to wait for its parameter sets.
                let rate = stream.codec.isVideo ? 90_000 : try Track(stream: stream, parameterSets: nil).timescale
                indices[index] = kept.count
                lanes.append(Lane(track: kept.count, stream: stream, timescale: rate, seenDepth: seenDepth))
                kept.append(stream)
            } catch {
                refusals.append(error)
            }
        }
        guard let first = kept.first else {
            throw refusals.first
                ?? MP4Error(
                    "find streams", "the camera announces none",
                    nextStep: "check the stream profile in the camera's settings")
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
    ///
    /// The first track last: its frame may be what makes a fragment whole.
    mutating func flush() -> [TimedFrame] { lanes.indices.reversed().flatMap { lanes[$0].flush() } }

    /// The same for the tracks that have been silent since before `time` while the first goes on.
    mutating func flushSecondary(silentSince time: MonotonicTime) -> [TimedFrame] {
        lanes.indices.dropFirst().flatMap { index in
            guard let waiting = lanes[index].waiting, waiting.arrival < time else { return [TimedFrame]() }
            return lanes[index].flush()
        }
    }

    /// When a frame begins, on a clock that neither jitter nor a clock of the camera's moves.
    func instant(of frame: TimedFrame) -> MonotonicTime {
        timeline.instant(of: frame.decode, track: frame.track) ?? frame.arrival
    }

    /// How far before `frame` the earliest sample lies that is still to be given out.
    func lead(before frame: TimedFrame) -> TimeSpan {
        let micro = { (lane: Lane, ticks: Int64) in ticks.scaled(by: 1_000_000, over: lane.timescale) }
        guard lanes.indices.contains(frame.track) else { return .zero }
        let start = micro(lanes[frame.track], frame.decode)
        let waiting = lanes.compactMap { lane in lane.waiting.map { micro(lane, $0.decode) } }
        let lead = TimeSpan(microseconds: start.subtractingSaturated(waiting.min() ?? start))
        return lead > .seconds(1) ? .zero : max(lead, .zero)
    }

    private mutating func takeVideo(_ packet: Packet, _ index: Int, _ arrival: MonotonicTime) -> Yield {
        let codec = lanes[index].stream.codec
        let unit = AccessUnit(annexB: packet.data, codec: codec)
        if !unit.parameterSets.isEmpty { adopt(unit.parameterSets, codec) }
        var yield = Yield(isPrimary: index == 0)
        guard !unit.sample.isEmpty else { return yield }
        if unit.isKey, parameterSets?.reorderDepth == nil { lanes[index].endGroup() }
        if unit.isKey, let sets = parameterSets { yield.frames += lanes[index].open(depth: sets.reorderDepth) }
        guard lanes[index].isOpen else { return yield }
        let (began, time) = place(packet, index, arrival, &yield)
        if parameterSets?.reorderDepth == nil { lanes[index].watchReordering(time) }
        yield.frames += lanes[index].add(
            TimedFrame(
                track: index, presentation: time, isSync: unit.isKey, arrival: began,
                cameraTime: packet.cameraTime, parameterSets: unit.isKey ? parameterSets : nil, data: unit.sample))
        announce(packet.following, index, arrival, &yield)
        return yield
    }

    /// When a frame began to arrive and where it lies; one that was announced has its place already.
    private mutating func place(
        _ packet: Packet, _ index: Int, _ arrival: MonotonicTime, _ yield: inout Yield
    ) -> (began: MonotonicTime, time: Int64) {
        defer { lanes[index].announced = nil }
        if let announced = lanes[index].announced, announced.timestamp == packet.timestamp {
            return (announced.arrival, announced.time)
        }
        let placement = timeline.place(
            track: index, timestamp: packet.timestamp, arrival: arrival, nominal: lanes[index].lastDuration)
        yield.anomaly = placement.anomaly
        return (arrival, placement.time)
    }

    /// The next frame has begun: the one before it need not wait any longer to be written.
    private mutating func announce(
        _ timestamp: Int64?, _ index: Int, _ arrival: MonotonicTime, _ yield: inout Yield
    ) {
        guard let timestamp else { return }
        let placement = timeline.place(
            track: index, timestamp: timestamp, arrival: arrival, nominal: lanes[index].lastDuration)
        yield.anomaly = yield.anomaly ?? placement.anomaly
        lanes[index].announced = Announced(timestamp: timestamp, time: placement.time, arrival: arrival)
        if let whole = lanes[index].conclude() { yield.frames.append(whole) }
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
