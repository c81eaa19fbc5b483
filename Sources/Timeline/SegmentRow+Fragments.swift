package import Recording

extension SegmentRow {
    /// Its bytes can be served: they exist, nobody doubts them, and where its fragments are is known.
    package var isPlayable: Bool {
        state != .evicted && (state != .quarantined || isLocal) && media.isSound
    }

    /// UTC of a fragment's first sample; of the one past the last, the segment's end.
    package func start(ofFragment index: Int) -> WallTime {
        guard index > 0, let first = media.fragments.first, let track = media.tracks.first else { return start }
        guard media.fragments.indices.contains(index) else { return end }
        let ticks = media.fragments[index].decodeTime.subtractingSaturated(first.decodeTime)
        return min(end, start + TimeSpan(microseconds: max(0, ticks.scaled(by: 1_000_000, over: track.timescale))))
    }

    /// UTC of the end of a fragment's last sample: where the next one starts, but before a hole.
    ///
    /// A camera that falls silent leaves a hole inside of its segment, because a segment begins with a key. How long the
    /// fragment before it is nobody tells: it is taken to be as long as the others are.
    package func end(ofFragment index: Int) -> WallTime {
        let (start, next) = (start(ofFragment: index), start(ofFragment: index + 1))
        let others = Int64(media.fragments.count - 1)
        guard next - start >= Selection.gapLength, others > 0 else { return next }
        let usual = TimeSpan(microseconds: max(0, (duration - (next - start)).microseconds) / others)
        return next - (start + usual) >= Selection.gapLength ? start + usual : next
    }

    /// The fragments with a hole before them.
    var holes: [Int] {
        let fragments = media.fragments
        let least = Selection.gapLength.microseconds.scaled(by: media.tracks.first?.timescale ?? 0, over: 1_000_000)
        return fragments.indices.dropFirst().filter { index in
            fragments[index].decodeTime.subtractingSaturated(fragments[index - 1].decodeTime) >= least
                && end(ofFragment: index - 1) < start(ofFragment: index)
        }
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

    /// The same with fragments whose decode times never fall.
    ///
    /// A fragment without samples of the first track may tell the time of another one in that one's ticks: it is taken
    /// to start with the fragment before it. Keys are of the first track.
    var rising: SegmentRow {
        let fragments = media.fragments
        guard zip(fragments, fragments.dropFirst()).contains(where: { $0.decodeTime > $1.decodeTime }) else {
            return self
        }
        var limits: [Int64] = []
        let ticks = duration.microseconds.scaled(by: media.tracks.first?.timescale ?? 0, over: 1_000_000)
        var limit = (fragments.first?.decodeTime ?? 0).addingSaturated(max(0, ticks))
        for fragment in fragments.reversed() {
            if fragment.isKey { limit = min(limit, fragment.decodeTime) }
            limits.append(limit)
        }
        var copy = self
        var last = fragments.first?.decodeTime ?? 0
        for (index, limit) in zip(fragments.indices, limits.reversed()) {
            let time = fragments[index].decodeTime
            if time >= last, time <= limit { last = time }
            copy.media.fragments[index].decodeTime = last
        }
        return copy
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
