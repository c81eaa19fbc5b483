package import Recording
package import SegmentStore

/// Where a successor's session begins in what it received: right behind what its predecessor's holds, on every track.
package struct Seam {
    /// Index of the keyframe with the mark of the hand-over.
    package let keyframe: Int
    /// Index of each other track's last sample that is the predecessor's; a track whose is unknown is cut by time.
    private let heard: [Int: Int]
    /// Every sample that the hand-over names was found.
    package let isWhole: Bool

    /// Nil while the keyframe has not come.
    package init?(_ handOver: HandOver, in frames: [TimedFrame], _ step: WallStep) {
        let index = { (track: Int, mark: FrameMark, isFit: (TimedFrame) -> Bool) -> Int? in
            let distance = { (index: Int) in (step.counted(frames[index].arrival) - handOver.at).magnitude }
            // A camera that repeats itself repeats its marks: the time decides among equals.
            return frames.indices.filter { index in
                let frame = frames[index]
                return frame.track == track && isFit(frame) && Int64(frame.data.count) == mark.bytes
                    && FrameMark(of: frame.data) == mark
            }.min { distance($0) < distance($1) }
        }
        guard let found = index(0, handOver.keyframe, \.isSync) else { return nil }
        keyframe = found
        heard = Dictionary(
            uniqueKeysWithValues: handOver.heard.compactMap { track, mark in
                track == 0 ? nil : index(track, mark) { _ in true }.map { (track, $0) }
            })
        isWhole = heard.count == handOver.heard.count
    }

    /// What is the successor's to record.
    package func rest(of frames: [TimedFrame]) -> [TimedFrame] {
        frames.indices.filter { index in
            let track = frames[index].track
            return track == 0 ? index >= keyframe : heard[track].map { index > $0 } ?? true
        }.map { frames[$0] }
    }

    /// How far before the keyframe the other tracks' samples begin; in whole hundredths of a second, which video's clock
    /// counts exactly, so that the keyframe keeps its place.
    package func lead(in frames: [TimedFrame], _ timescales: [Int64]) -> TimeSpan {
        let time = { (frame: TimedFrame) in
            let scale = timescales.indices.contains(frame.track) ? timescales[frame.track] : 1
            return frame.decode.scaled(by: 1_000_000, over: scale)
        }
        let start = time(frames[keyframe])
        let first = rest(of: frames).filter { heard[$0.track] != nil }.map(time).min() ?? start
        let lead = start.subtractingSaturated(first)
        guard (1...1_000_000).contains(lead) else { return .zero }
        return .milliseconds((lead + 9_999) / 10_000 * 10)
    }
}
