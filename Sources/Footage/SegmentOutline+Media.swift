import FragmentedMP4
import Recording

extension MediaMemory.Known {
    /// A segment of the store as both ends of its file tell it; nil where the fragments between have to be read.
    ///
    /// It ends where its row does, which a listing knows from the segment after it.
    init?(_ outline: SegmentOutline, of row: SegmentRow) {
        let first = SegmentScan(outline.start, named: row.start.wholeMilliseconds)
        var media = first.media
        media.mediaEnd = outline.mediaEnd
        media.fragments = outline.keys.map {
            MediaIndex.Fragment(offset: $0.offset, isKey: true, decodeTime: $0.decodeTime)
        }
        // Nobody counted them.
        media.frames = 0
        self.init(start: first.start, duration: max(.zero, row.end - first.start), media: media, isWhole: false)
        guard !mayHideSilence else { return nil }
    }

    /// Two keys are further apart than the others by what would be a silence (`SegmentRow.holes`), or a camera's whim.
    private var mayHideSilence: Bool {
        let times = media.fragments.map(\.decodeTime)
        let timescale = media.tracks.first?.timescale ?? 1
        let steps = zip(times, times.dropFirst()).map { $1.subtractingSaturated($0) }
        guard let longest = steps.max() else { return false }
        let step = TimeSpan(microseconds: longest.scaled(by: 1_000_000, over: timescale))
        let usual = TimeSpan(microseconds: max(0, (duration - step).microseconds) / Int64(steps.count))
        return step - usual >= .seconds(2)
    }
}
