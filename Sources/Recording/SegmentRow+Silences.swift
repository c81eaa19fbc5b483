/// Where in time a segment's fragments are, and what is missing between them.
extension SegmentRow {
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
        guard next - start >= Gap.least, others > 0 else { return next }
        let usual = TimeSpan(microseconds: max(0, (duration - (next - start)).microseconds) / others)
        return next - (start + usual) >= Gap.least ? start + usual : next
    }

    /// The fragments with a hole before them.
    package var holes: [Int] {
        let fragments = media.fragments
        let least = Gap.least.microseconds.scaled(by: media.tracks.first?.timescale ?? 0, over: 1_000_000)
        return fragments.indices.dropFirst().filter { index in
            fragments[index].decodeTime.subtractingSaturated(fragments[index - 1].decodeTime) >= least
                && end(ofFragment: index - 1) < start(ofFragment: index)
        }
    }

    /// Where a camera fell silent inside of it, ascending.
    package var silences: [(from: WallTime, to: WallTime)] {
        guard media.fragments.count > 1 else { return [] }
        let row = rising
        return row.holes.map { (row.end(ofFragment: $0 - 1), row.start(ofFragment: $0)) }
    }

    /// The same with fragments whose decode times never fall.
    ///
    /// A fragment without samples of the first track may tell the time of another one in that one's ticks: it is taken
    /// to start with the fragment before it. Keys are of the first track.
    package var rising: SegmentRow {
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
