package import FragmentedMP4
package import Recording

/// Collects samples until they are a fragment's worth: 1 s of media, the unit of crash loss.
package struct FragmentBuilder: Sendable {
    package static let length = TimeSpan.seconds(1)
    /// Bounds what a camera can make us hold (I9).
    package static let largestFragment = 16 << 20

    private let timescales: [Int64]
    package private(set) var samples: [Sample] = []
    /// When the first of the samples came.
    package private(set) var openSince: MonotonicTime?
    private var bytes = 0
    private var ends: [Int64?]
    private var start: Int64?
    /// Of the first track.
    private var lastDuration: Int64 = 0

    /// The first track is the one that fragments are measured by.
    package init(timescales: [Int64]) {
        self.timescales = timescales
        ends = timescales.map { _ in nil }
    }

    /// False when the sample does not follow on the fragment's last of its track: it belongs in the next one.
    package func accepts(_ sample: Sample) -> Bool {
        guard ends.indices.contains(sample.track), let end = ends[sample.track] else { return true }
        return end == sample.decodeTime
    }

    package mutating func add(_ sample: Sample, at arrival: MonotonicTime) {
        guard ends.indices.contains(sample.track) else { return }
        samples.append(sample)
        bytes += sample.data.count
        ends[sample.track] = sample.decodeTime.addingSaturated(sample.duration)
        openSince = openSince ?? arrival
        guard sample.track == 0 else { return }
        start = start ?? sample.decodeTime
        lastDuration = sample.duration
    }

    /// True when another sample like the last would take it past 1 s.
    ///
    /// By more than a quarter of that sample: timestamps are rounded on their way, and a fragment that is a tick short
    /// of its second would end one frame behind its keyframe, as would all that follow.
    package var isDue: Bool {
        guard bytes < Self.largestFragment else { return true }
        guard let start, let end = ends.first ?? nil, let timescale = timescales.first else { return false }
        let second = Self.length.microseconds.scaled(by: timescale, over: 1_000_000)
        return end.subtractingSaturated(start).addingSaturated(lastDuration)
            > second.addingSaturated(lastDuration / 4)
    }

    package mutating func take() -> [Sample] {
        defer { self = FragmentBuilder(timescales: timescales) }
        return samples
    }
}
