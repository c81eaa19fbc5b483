import Foundation
import FragmentedMP4

/// How one track of a session compares with the clip that its camera loops, and whether its times join.
package struct Continuity: Hashable, Sendable, CustomStringConvertible {
    package var samples = 0
    /// Samples of the clip that are missing between two recorded ones.
    package var lost = 0
    /// Samples that were recorded before, or out of order.
    package var duplicated = 0
    /// Samples that the clip does not have.
    package var foreign = 0
    /// Fragments whose decode time is not the end of their predecessor, over segment borders too.
    package var breaks = 0
    /// Index in the clip of the first and of the last sample.
    package var first: Int?
    package var last: Int?
    /// The first few things that are wrong.
    package var findings: [String] = []

    package init() {}

    package var isWhole: Bool { samples > 0 && lost == 0 && duplicated == 0 && foreign == 0 && breaks == 0 }

    package var description: String {
        "\(samples) samples, \(lost) lost, \(duplicated) duplicated, \(foreign) foreign, \(breaks) breaks"
            + findings.map { "; \($0)" }.joined()
    }

    mutating func note(_ finding: String) {
        if findings.count < 5 { findings.append(finding) }
    }

    /// Takes a fragment's part of the track; `end` is where its predecessor's ended, in this segment or the one before.
    mutating func join(_ run: TrackRun, to end: Int64?, in segment: String) {
        guard let end, end != run.baseDecodeTime else { return }
        breaks += 1
        note("\(segment): decode time \(run.baseDecodeTime) instead of \(end)")
    }

    /// Takes the next sample's index in the clip, nil if it has none.
    mutating func place(_ index: Int?, of count: Int, _ what: String) {
        guard let index else {
            foreign += 1
            note("\(what) is not in the clip")
            return
        }
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
