internal import FragmentedMP4
internal import Messages
internal import Recording
internal import SegmentStore

/// One unbroken recording on one wall anchor: its frames become samples, fragments and segments.
///
/// Nothing is on disk before its first fragment is whole; from then on its number is used and its end is journalled
/// by whoever ends it, or found by the next recovery.
final class Session {
    /// Frames that are missing for longer than is tolerated leave at least this: less is a change of rhythm.
    static let leastHole = TimeSpan.seconds(1)

    private(set) var clock: SessionClock
    private(set) var parameterSets: VideoParameterSets?
    private(set) var tracks: [Track]
    /// Nil before the first fragment is written.
    private(set) var number: Int64?
    /// End of the first track's last sample that was taken in.
    private(set) var end = TimeSpan.zero
    private let cacheWriter: CacheWriter
    private let streams: [StreamDescription]
    /// Each track's decode time at the session's media time 0.
    private let origins: [Int64]
    private var cutter: SegmentCutter
    private var builder: FragmentBuilder
    /// Other tracks' samples that lie after all video so far: which segment they belong to is not known yet.
    private var ahead: [(sample: Sample, arrival: MonotonicTime)] = []
    /// Each other track's newest sample that was not dropped.
    private(set) var lastHeard: [Int: [UInt8]] = [:]
    private var output: SegmentOutput?
    private var counter: Int64 = 0
    private var isFormatChange = false
    /// End of the last whole fragment, and where the open segment began.
    private var writtenEnd = TimeSpan.zero
    private var segmentStart = TimeSpan.zero
    /// Its date.
    private var segmentDate: WallTime?

    /// Starts at `frame`, which the caller then appends; its media time 0 may lie `lead` before, for other tracks'
    /// samples that are still to come.
    init(
        at frame: TimedFrame, lead: TimeSpan, streams: [StreamDescription], timescales: [Int64], length: TimeSpan,
        clock: SessionClock,
        cacheWriter: CacheWriter
    ) throws(MP4Error) {
        self.clock = clock
        self.streams = streams
        self.cacheWriter = cacheWriter
        parameterSets = frame.parameterSets
        tracks = try Self.tracks(streams, frame.parameterSets)
        let scale = timescales.indices.contains(frame.track) ? timescales[frame.track] : 1
        origins = timescales.map {
            frame.decode.scaled(by: $0, over: scale).subtractingSaturated(
                lead.microseconds.scaled(by: $0, over: 1_000_000))
        }
        // Audio can be cut anywhere: exactly at the target.
        cutter = SegmentCutter(
            length: length, tolerance: frame.parameterSets == nil ? .zero : SegmentCutter.tolerance)
        builder = FragmentBuilder(timescales: timescales)
    }

    var length: TimeSpan {
        get { cutter.length }
        set { if newValue != cutter.length { cutter.length = newValue } }
    }

    var codecs: String { tracks.map(\.codecString).joined(separator: ",") }

    /// Where the recording of this session ends on the wall clock.
    var wallEnd: WallTime { date(end) }

    /// Of a moment of the last segment, as its readers have it: the anchor may have been slewed since, and what comes next
    /// would begin some milliseconds beside its end.
    private func date(_ media: TimeSpan) -> WallTime {
        segmentDate.map { $0 + (media - segmentStart) } ?? clock.wall(media)
    }

    /// Takes in a frame; `wall` is when it came.
    func append(_ frame: TimedFrame, arrival wall: WallTime, now: MonotonicTime) throws(SegmentStoreError) {
        guard let sample = sample(frame) else { return }
        if frame.track == 0 {
            let media = span(sample.decodeTime)
            let shown = span(sample.decodeTime.addingSaturated(sample.compositionOffset))
            clock.observe(media: shown, arrival: wall, cameraTime: frame.cameraTime, now: now)
            try account(forHoleBefore: media)
            end = span(sample.decodeTime.addingSaturated(sample.duration))
        }
        guard frame.track == 0 || span(sample) < end else {
            ahead.append((sample, now))
            return
        }
        // Before the frame that may make the fragment whole: what is heard while it is seen belongs to it.
        try release { span($0.sample) < end }
        try add(sample, at: now)
    }

    /// A new segment begins with `frame`, if it is time or its format differs.
    func cutIfDue(at frame: TimedFrame) throws(SegmentStoreError) {
        guard let sample = sample(frame) else { return }
        let changed = frame.parameterSets != parameterSets
        // Tracks that cannot be made are a camera's nonsense: the last good ones stay in force.
        let renewed = changed ? try? Self.tracks(streams, frame.parameterSets) : nil
        let held = output?.appender.length ?? 0
        guard renewed != nil || cutter.isDue(at: span(sample.decodeTime), bytes: held) else { return }
        try closeSegment()
        cutter.cut(at: span(sample.decodeTime))
        guard let renewed else { return }
        isFormatChange = true
        tracks = renewed
        parameterSets = frame.parameterSets
    }

    /// Ends right before `frame`, which begins a successor's session; returns where that lies on the wall clock.
    ///
    /// There by the dates of the last segment, so that the two sessions touch. What is heard from there on is the
    /// successor's too.
    func end(before frame: TimedFrame) throws(SegmentStoreError) -> WallTime? {
        guard let sample = sample(frame) else { return nil }
        let media = span(sample.decodeTime)
        try release { span($0.sample) < media }
        ahead = []
        try account(forHoleBefore: media)
        try writeFragment()
        let seam = date(media)
        try closeSegment(isLast: true)
        return seam
    }

    /// Writes what has been waiting for so long that the camera must have stalled.
    func writeIfOlder(than time: MonotonicTime) throws(SegmentStoreError) {
        try release { $0.arrival < time }
        guard let since = builder.openSince, since < time else { return }
        try writeFragment()
    }

    /// Closes the last segment; the caller journals the session's end.
    func close() throws(SegmentStoreError) { try closeSegment(isLast: true) }

    /// The same right behind the first track's last sample: what is heard from there on is nobody's.
    func closeBehindPicture() throws(SegmentStoreError) {
        let end = end
        try release { span($0.sample) < end }
        ahead = []
        try closeSegment(isLast: true)
    }

    /// Ends without the disk's help, and returns where what is on it ends; nil when nothing is.
    func abandon(after error: SegmentStoreError) -> WallTime? {
        defer { output = nil }
        guard number != nil else { return nil }
        guard let output else { return date(writtenEnd) }
        guard error.isNoSpace, !output.appender.isFailed, output.duration > .zero else {
            // Without a whole fragment there is nothing to close: recovery removes the file.
            cacheWriter.setAside(output)
            return clock.wall(segmentStart)
        }
        // Keeps the file for later or sets it aside: either way this session is over.
        try? cacheWriter.close(output)
        return date(writtenEnd)
    }

    private func closeSegment(isLast: Bool = false) throws(SegmentStoreError) {
        // Other tracks' samples alone wait for the next segment: a fragment has a reason to be in the first one.
        if isLast { try release { _ in true } }
        if isLast || builder.samples.contains(where: { $0.track == 0 }) { try writeFragment() }
        guard let closing = output else { return }
        output = nil
        counter += 1
        try cacheWriter.close(closing)
    }

    private func add(_ sample: Sample, at arrival: MonotonicTime) throws(SegmentStoreError) {
        if sample.track != 0 { lastHeard[sample.track] = sample.data }
        if !builder.accepts(sample) { try writeFragment() }
        builder.add(sample, at: arrival)
        if builder.isDue { try writeFragment() }
    }

    /// Takes what waits and need not any more; in order, so the first that stays keeps all behind it.
    private func release(
        _ isReady: ((sample: Sample, arrival: MonotonicTime)) -> Bool
    ) throws(SegmentStoreError) {
        let ready = ahead.prefix(while: isReady)
        ahead.removeFirst(ready.count)
        for (sample, arrival) in ready { try add(sample, at: arrival) }
    }

    /// A gap within the session is as long as the hole in its media: frames that came late after all leave none, and
    /// a hole that nobody saw coming leaves one all the same (I4).
    private func account(forHoleBefore media: TimeSpan) throws(SegmentStoreError) {
        let hole = media - end
        if hole > Self.leastHole, number == nil || cacheWriter.ledger.current == nil {
            // The session's number is known once something of it is on disk, and the gap before it is closed then.
            try writeFragment()
            guard number != nil else { return }
            let stall = cacheWriter.explained(.stalled(for: hole))
            cacheWriter.openGap(from: wallEnd, reason: stall.reason, detail: stall.fault.message)
        }
        guard number != nil, let gap = cacheWriter.ledger.current else { return }
        // The end of the frame before a hole is an estimate.
        cacheWriter.closeGap(to: gap.from + (hole < .milliseconds(20) ? .zero : hole))
    }

    private func writeFragment() throws(SegmentStoreError) {
        let samples = builder.samples
        guard let first = samples.first else { return }
        let isFirst = output == nil
        if isFirst { output = try openSegment(at: samples.first { $0.track == 0 } ?? first) }
        guard var target = output else { return }
        try cacheWriter.append(samples, to: &target)
        _ = builder.take()
        if isFirst { announce(target) }
        if let last = samples.last(where: { $0.track == 0 }) {
            writtenEnd = span(last.decodeTime.addingSaturated(last.duration))
        }
        target.duration = writtenEnd - segmentStart
        output = target
    }

    /// The first fragment is on disk: what was missing before it ends here.
    private func announce(_ opened: SegmentOutput) {
        cacheWriter.closeGap(to: opened.start)
        guard counter == 0 else { return }
        cacheWriter.noteWritten(opened.id.session)
        cacheWriter.facts.mention(
            .sessionStarted(session: opened.id.session, at: opened.start, window: cacheWriter.window))
    }

    /// Journals what the segment needs to be understood, then creates it.
    private func openSegment(at first: Sample) throws(SegmentStoreError) -> SegmentOutput {
        let now = cacheWriter.clocks.monotonic()
        segmentStart = span(first.decodeTime)
        let begun = segmentStart
        clock.settle(notBefore: cacheWriter.recordedUntil.map { $0 - begun }, now: now)
        writtenEnd = segmentStart
        let start = clock.wall(segmentStart)
        segmentDate = start
        let session: Int64
        if let number {
            session = number
        } else {
            session = try cacheWriter.startSession(clock, codecs: codecs)
            number = session
        }
        let before = cacheWriter.ledger.current.map { gap in
            Gap(from: gap.from, to: max(start, gap.from), reason: gap.reason, detail: gap.detail)
        }
        let id = SegmentID(session: session, counter: counter)
        let info = SegmentInfo(
            camera: cacheWriter.camera, id: id, anchor: clock.anchor, quality: clock.quality,
            cameraClockOffset: clock.cameraOffset, gapBefore: before)
        let opened = try cacheWriter.open(info, tracks: tracks, start: start)
        if isFormatChange {
            cacheWriter.facts.state(.formatChange(id, codecs: codecs), at: cacheWriter.clocks.wall())
            isFormatChange = false
        }
        return opened
    }

    /// Nil for what belongs before the session's first frame.
    private func sample(_ frame: TimedFrame) -> Sample? {
        guard origins.indices.contains(frame.track) else { return nil }
        let time = frame.decode.subtractingSaturated(origins[frame.track])
        guard time >= 0 else { return nil }
        return Sample(
            track: frame.track, decodeTime: time, duration: frame.duration,
            compositionOffset: frame.presentation.subtractingSaturated(frame.decode), isSync: frame.isSync,
            data: frame.data)
    }

    private func span(_ sample: Sample) -> TimeSpan {
        let timescale = tracks.indices.contains(sample.track) ? tracks[sample.track].timescale : 1
        return TimeSpan(microseconds: sample.decodeTime.scaled(by: 1_000_000, over: timescale))
    }

    private func span(_ ticks: Int64) -> TimeSpan {
        TimeSpan(microseconds: ticks.scaled(by: 1_000_000, over: tracks.first?.timescale ?? 90_000))
    }

    static func tracks(
        _ streams: [StreamDescription], _ sets: VideoParameterSets?
    ) throws(MP4Error) -> [Track] {
        var tracks: [Track] = []
        for stream in streams {
            tracks.append(try Track(stream: stream, parameterSets: stream.codec.isVideo ? sets : nil))
        }
        return tracks
    }
}
