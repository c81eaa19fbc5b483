package import Recording

extension SegmentRow {
    /// Its bytes can be served: they exist, nobody doubts them, and where its fragments are is known.
    package var isPlayable: Bool {
        state != .evicted && (state != .quarantined || isLocal) && media.isSound
    }

    /// Where a fragment begins in the file; of the one past the last, where the media ends.
    package func offset(ofFragment index: Int) -> Int64 {
        max(0, media.fragments.indices.contains(index) ? media.fragments[index].offset : media.mediaEnd)
    }

    /// Decode time of its first sample in its session.
    package var mediaStart: TimeSpan {
        guard let track = media.tracks.first else { return .zero }
        return TimeSpan(microseconds: track.baseDecodeTime.scaled(by: 1_000_000, over: track.timescale))
    }

    /// The first fragment that starts at `time` or later; the number of fragments when none does.
    func firstFragment(from time: WallTime) -> Int {
        let count = media.fragments.count
        if time <= start { return 0 }
        if time >= end { return count }
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if start(ofFragment: middle) >= time { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The fragments, but for the first, at which chunks of at least `length` begin, shorter before a hole.
    func cuts(_ length: TimeSpan) -> [Int] {
        var cuts: [Int] = []
        var last = start
        var holes = holes[...]
        for index in media.fragments.indices.dropFirst() where media.fragments[index].isKey {
            let start = start(ofFragment: index)
            let isAfterHole = holes.first.map { $0 <= index } ?? false
            guard isAfterHole || start - last >= length else { continue }
            holes = holes.drop { $0 <= index }
            cuts.append(index)
            last = start
        }
        return cuts
    }
}

extension MediaIndex {
    /// Its fragments lie one behind the other, and each track has a clock (I9).
    fileprivate var isSound: Bool {
        guard initLength > 0, let first = fragments.first, first.offset >= initLength, first.decodeTime >= 0,
            let last = fragments.last,
            last.offset < mediaEnd, !tracks.isEmpty, tracks.allSatisfy({ $0.timescale > 0 && $0.baseDecodeTime >= 0 })
        else { return false }
        return zip(fragments, fragments.dropFirst()).allSatisfy { $0.offset < $1.offset && $1.decodeTime >= 0 }
    }
}
