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
        if sample.track == 0 { start = start ?? sample.decodeTime }
    }

    package var isDue: Bool {
        guard bytes < Self.largestFragment else { return true }
        guard let start, let end = ends.first ?? nil, let timescale = timescales.first else { return false }
        return end.subtractingSaturated(start) >= Self.length.microseconds.scaled(by: timescale, over: 1_000_000)
    }

    package mutating func take() -> [Sample] {
        defer { self = FragmentBuilder(timescales: timescales) }
        return samples
    }
}
