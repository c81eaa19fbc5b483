package import Recording
import YAMLConfiguration

/// A camera's mean bit rate: over all its recording at first, over about a day of it later.
package struct BitRateMean: Hashable, Sendable {
    private static let memory = 86_400.0
    /// More than any network brings: sums of such stay numbers.
    private static let most = 1e10

    private let patience: TimeSpan
    private var seconds = 0.0
    private var mean = 0.0
    private var lastAt: MonotonicTime?

    /// `patience` is how much recording must be seen before the mean says anything.
    ///
    /// `remembered` is what an earlier cvrd knew, and counts as much as a day.
    package init(patience: TimeSpan, remembered: Double? = nil) {
        self.patience = patience
        guard let remembered = remembered.flatMap(Self.plausible) else { return }
        (mean, seconds) = (remembered, Self.memory)
    }

    /// A rate as a worker or a file claims it, bounded; nil for what is none.
    static func plausible(_ rate: Double) -> Double? { rate.isNormal && rate > 0 ? min(rate, most) : nil }

    /// Nil until enough was seen.
    package var bitsPerSecond: Double? { mean > 0 && seconds >= patience.seconds ? mean : nil }

    /// Takes a recording camera's rate as of `now`; what lies more than 5 s before is not known.
    package mutating func add(_ rate: Double, at now: MonotonicTime) {
        guard let rate = Self.plausible(rate) else { return }
        let elapsed = lastAt.map { min(max((now - $0).seconds, 0), 5) } ?? 0
        lastAt = now
        seconds = min(seconds + elapsed, Self.memory)
        mean += mean > 0 ? (rate - mean) * elapsed / max(seconds, 1) : rate
    }
}

/// The cameras' bit rates over restarts of cvrd: even shares at each start would evict what the larger cameras hold.
package enum BitRateFile {
    /// What was last known, empty when nothing was; blocks on the state's disk.
    package static func read(_ path: String) -> [CameraName: Double] {
        // Rates that cannot be read are measured again.
        let bytes = (try? SmallFile.read(path, limit: 1 << 20)) ?? nil
        let lines = String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n")
        return lines.reduce(into: [:]) { rates, line in
            let words = line.split(separator: " ")
            guard words.count == 2, let name = CameraName(String(words[0])), let rate = Double(words[1]) else { return }
            rates[name] = rate
        }
    }

    package static func write(_ rates: [CameraName: Double], _ path: String) throws {
        let lines = rates.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.rounded())\n" }
        try SmallFile.write(Array(lines.joined().utf8), to: path, mode: 0o600)
    }
}
