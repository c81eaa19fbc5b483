import Foundation
import FragmentedMP4

/// How one track of a session compares with the clip that its camera loops, and whether its times join.
package struct Continuity: Sendable, CustomStringConvertible {
    package var samples = 0
    /// Samples of the clip that are missing between two recorded ones.
    package var lost = 0
    /// Samples that were recorded before, or out of order.
    package var duplicated = 0
    /// Samples that the clip does not have.
    package var foreign = 0
    /// Fragments whose decode time is not the end of their predecessor, over segment borders too.
    package var breaks = 0
    /// Samples that do not follow their predecessor in the file, or at the rate of the last one over a segment border,
    /// as ffmpeg has it, which knows nothing of what our writer and our reader agree on.
    package var leaps = 0
    /// Index in the clip of the first and of the last sample.
    package var first: Int?
    package var last: Int?
    /// The first few things that are wrong.
    package var findings: [String] = []
    /// Where the last fragment ended, as our reader has it.
    private var end: Int64?
    /// The last sample, as ffmpeg has it: its segment, decode time and distance from the one before.
    private var previous: (segment: String, time: Int64, step: Int64)?
    /// Units in the clip.
    private var count = 0

    package init() {}

    /// Whether `next` goes on where this one ends.
    package func isFollowed(by next: Continuity) -> Bool { missing(before: next) == 0 }

    /// How many samples of the clip lie between the end of this one and the beginning of `next`; below 0 when some
    /// come twice.
    package func missing(before next: Continuity) -> Int? {
        guard let last, let first = next.first, count > 0 else { return nil }
        let missing = (first - last - 1 + count) % count
        return missing > count / 2 ? missing - count : missing
    }

    package var isWhole: Bool {
        samples > 0 && lost == 0 && duplicated == 0 && foreign == 0 && breaks == 0 && leaps == 0
    }

    package var description: String {
        "\(samples) samples, \(lost) lost, \(duplicated) duplicated, \(foreign) foreign, \(breaks) breaks, \(leaps) leaps"
            + findings.map { "; \($0)" }.joined()
    }

    mutating func note(_ finding: String) {
        if findings.count < 5 { findings.append(finding) }
    }

    /// Takes a fragment's part of the track.
    mutating func join(_ run: TrackRun, in segment: String) {
        if let end, end != run.baseDecodeTime {
            breaks += 1
            note("\(segment): decode time \(run.baseDecodeTime) instead of \(end)")
        }
        end = run.baseDecodeTime + run.duration
    }

    /// Takes a sample's decode time.
    mutating func follow(_ sample: MediaSample, in segment: String) {
        guard let last = previous else {
            previous = (segment, sample.decodeTime, 0)
            return
        }
        let step = sample.decodeTime - last.time
        let isSteady = segment == last.segment ? step > 0 : abs(step - last.step) * 10 <= last.step
        if !isSteady {
            leaps += 1
            note("\(segment): to ffmpeg decode time \(sample.decodeTime) after \(last.time)")
        }
        previous = (segment, sample.decodeTime, step)
    }

    /// Takes the next sample's index in the clip, nil if it has none.
    mutating func place(_ index: Int?, of count: Int, _ what: String) {
        guard let index else {
            foreign += 1
            note("\(what) is not in the clip")
            return
        }
        self.count = count
        if first == nil { first = index }
        if let last {
            let step = (index - last + count) % count
            // A clip is far longer than any loss worth counting: more than half of it ahead is behind.
            if step == 0 || step > count / 2 {
                duplicated += 1
                note("\(what): frame \(index) after \(last)")
            } else if step > 1 {
                lost += step - 1
                note("\(what): frame \(index) after \(last)")
            }
        }
        last = index
    }

    /// Compares bytes that have no borders with a looped clip.
    mutating func compare(_ bytes: Data, with clip: Data) {
        let looped = clip + clip.prefix(4000)
        guard bytes.count > 4000, let start = looped.range(of: bytes.prefix(4000)) else {
            foreign += 1
            note("the first audio bytes are not in the clip")
            return
        }
        let (recorded, source, offset) = (Array(bytes), Array(clip), start.lowerBound)
        let wrong = recorded.indices.first { recorded[$0] != source[(offset + $0) % source.count] }
        guard let wrong else { return }
        lost += 1
        note("audio departs from the clip at byte \(wrong) of \(bytes.count)")
    }
}
