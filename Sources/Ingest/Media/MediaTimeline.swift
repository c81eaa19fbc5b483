package import Recording

/// Lays a camera's timestamps on one line of media time for all tracks of a connection.
///
/// Media time starts at 0 with the first packet, never goes back by more than reordering does, and keeps within two
/// seconds of arrival: cameras restart their clocks, jump, freeze and pause, and their footage must still be found
/// where it happened (I4). A camera's clock that just runs a little fast or slow is followed.
package struct MediaTimeline: Sendable {
    package enum Anomaly: String, Sendable {
        case forwardJump, backwardJump, frozen, behind
    }

    package struct Placement: Hashable, Sendable {
        /// Presentation time in the track's timescale.
        package var time: Int64
        /// Set once per disturbance, when the line was laid anew.
        package var anomaly: Anomaly?

        package init(time: Int64, anomaly: Anomaly? = nil) {
            self.time = time
            self.anomaly = anomaly
        }
    }

    /// How far timestamps may stray from arrival.
    package static let tolerance = TimeSpan.seconds(2)
    /// Late for this long is not the network's hiccup: whatever it held back would have come in a burst.
    package static let patience = TimeSpan.seconds(5)
    /// Tracks that start within this of each other's timestamps share the camera's clock.
    private static let alignment = TimeSpan.milliseconds(500)

    private struct TrackLine {
        let clockRate: Int64
        let timescale: Int64
        /// The source's tick at media time 0; nil before the first packet.
        var origin: Int64?
        var highest: Int64 = 0
        var advancedAt = MonotonicTime(microseconds: 0)
        var standing = 0
        var isFrozen = false
        /// How much later than the least delayed packets the last one came.
        var lateness = TimeSpan.zero

        func media(_ source: Int64, from origin: Int64) -> Int64 {
            source.subtractingSaturated(origin).scaled(by: timescale, over: clockRate)
        }

        func span(_ ticks: Int64) -> TimeSpan { TimeSpan(microseconds: ticks.scaled(by: 1_000_000, over: timescale)) }

        func ticks(_ span: TimeSpan) -> Int64 { span.microseconds.scaled(by: timescale, over: 1_000_000) }

        func sourceTicks(_ span: TimeSpan) -> Int64 { span.microseconds.scaled(by: clockRate, over: 1_000_000) }

        func originFor(_ source: Int64, at media: Int64) -> Int64 {
            source.subtractingSaturated(media.scaled(by: clockRate, over: timescale))
        }
    }

    private var tracks: [TrackLine]
    /// A connection's first packets show by how much those before them were late.
    private static let settling = TimeSpan.seconds(10)
    private static let boot = MonotonicTime(microseconds: 0)

    /// When media time 0 arrived, counted from boot.
    private var delay: LeastDelay?
    private var startedAt = boot
    /// The last disturbance's shift of the source's clock: other tracks are tried with it first, to stay in step.
    private var lastShift = TimeSpan.zero
    private var lateSince: MonotonicTime?

    /// One entry per track: the source's clock rate and the track's timescale, both above 0.
    package init(tracks: [(clockRate: Int64, timescale: Int64)]) {
        self.tracks = tracks.map { TrackLine(clockRate: max($0.clockRate, 1), timescale: max($0.timescale, 1)) }
    }

    /// When a frame that lies at `media` would have come, had it not been delayed; nil before the first packet.
    package func instant(of media: Int64, track index: Int) -> MonotonicTime? {
        guard let delay, tracks.indices.contains(index) else { return nil }
        return Self.boot + delay.value + tracks[index].span(media)
    }

    /// Places one packet; `nominal` is how far after its predecessor one without a timestamp belongs.
    package mutating func place(
        track index: Int, timestamp: Int64?, arrival: MonotonicTime, nominal: Int64
    ) -> Placement {
        guard tracks.indices.contains(index) else { return Placement(time: 0) }
        guard let origin = tracks[index].origin else {
            return Placement(time: start(index, timestamp ?? 0, arrival))
        }
        let line = tracks[index]
        guard let timestamp else {
            return settle(index, Placement(time: line.highest.addingSaturated(max(nominal, 1))), arrival)
        }
        let media = line.media(timestamp, from: origin)
        guard let anomaly = anomaly(index, media, arrival) else {
            if media > line.highest { tracks[index].isFrozen = false }
            return settle(index, Placement(time: media), arrival)
        }
        let isNews = anomaly != .frozen || !line.isFrozen
        let time = relay(index, timestamp, arrival)
        if anomaly == .behind { moveOthersBehind(index) }
        tracks[index].isFrozen = anomaly == .frozen
        return settle(index, Placement(time: time, anomaly: isNews ? anomaly : nil), arrival)
    }

    /// The first packet of a track: where the camera's clock says if that is plausible, else where it arrived.
    private mutating func start(_ index: Int, _ source: Int64, _ arrival: MonotonicTime) -> Int64 {
        var line = tracks[index]
        line.advancedAt = arrival
        guard let delay else {
            self.delay = LeastDelay(arrival - Self.boot, now: arrival)
            startedAt = arrival
            line.origin = source
            tracks[index] = line
            return 0
        }
        let arrived = arrival - Self.boot - delay.value
        var media = line.ticks(arrived)
        if let other = tracks.first(where: { $0.origin != nil }), let otherOrigin = other.origin {
            let shared = otherOrigin.scaled(by: line.clockRate, over: other.clockRate)
            let claimed = line.media(source, from: shared)
            if (line.span(claimed) - arrived).magnitude <= Self.alignment { media = claimed }
        }
        line.origin = line.originFor(source, at: media)
        line.highest = media
        tracks[index] = line
        return media
    }

    private mutating func anomaly(_ index: Int, _ media: Int64, _ arrival: MonotonicTime) -> Anomaly? {
        let line = tracks[index]
        let lateness = lateness(line, media, arrival)
        tracks[index].lateness = lateness
        if lateness < .zero - Self.tolerance { return .forwardJump }
        if line.span(line.highest.subtractingSaturated(media)) > Self.tolerance { return .backwardJump }
        if media <= line.highest {
            // A few packets may stand back: pictures that are reordered do.
            let standsLong = line.standing >= 4 && arrival - line.advancedAt > Self.tolerance
            return standsLong || line.isFrozen ? .frozen : nil
        }
        guard lateness > Self.tolerance else {
            if index == 0 { lateSince = nil }
            return nil
        }
        guard let since = lateSince else {
            if index == 0 { lateSince = arrival }
            return nil
        }
        return arrival - since > Self.patience ? .behind : nil
    }

    /// Moves the track's line so that this packet lies where it arrived, after all before it.
    private mutating func relay(_ index: Int, _ source: Int64, _ arrival: MonotonicTime) -> Int64 {
        var line = tracks[index]
        let old = line.origin ?? source
        let followed = line.media(source, from: old.addingSaturated(line.sourceTicks(lastShift)))
        let inStep = followed > line.highest && lateness(line, followed, arrival).magnitude <= Self.alignment
        let arrived = line.ticks(arrival - Self.boot - (delay?.value ?? arrival - Self.boot))
        let media = inStep ? followed : max(arrived, line.highest.addingSaturated(1))
        let origin = line.originFor(source, at: media)
        if !inStep {
            lastShift = TimeSpan(
                microseconds: origin.subtractingSaturated(old).scaled(by: 1_000_000, over: line.clockRate))
        }
        line.origin = origin
        tracks[index] = line
        if index == 0 { lateSince = nil }
        return media
    }

    /// A camera that paused without counting did so on all its tracks: sound stays with its picture.
    private mutating func moveOthersBehind(_ index: Int) {
        for other in tracks.indices where other != index && tracks[other].lateness > Self.tolerance {
            guard let origin = tracks[other].origin else { continue }
            tracks[other].origin = origin.addingSaturated(tracks[other].sourceTicks(lastShift))
        }
    }

    private mutating func settle(_ index: Int, _ placement: Placement, _ arrival: MonotonicTime) -> Placement {
        if placement.time > tracks[index].highest {
            tracks[index].highest = placement.time
            tracks[index].advancedAt = arrival
            tracks[index].standing = 0
        } else {
            tracks[index].standing += 1
        }
        let candidate = arrival - Self.boot - tracks[index].span(placement.time)
        if let known = delay, arrival - startedAt < Self.settling {
            delay = LeastDelay(min(known.value, candidate), now: arrival)
        } else {
            delay?.observe(candidate, now: arrival)
        }
        return placement
    }

    /// How much later than the least delayed packet this one is; negative when its timestamp runs ahead of time.
    private func lateness(_ line: TrackLine, _ media: Int64, _ arrival: MonotonicTime) -> TimeSpan {
        arrival - Self.boot - (delay?.value ?? arrival - Self.boot) - line.span(media)
    }
}
