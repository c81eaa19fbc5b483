import Foundation
import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

extension CameraSettings {
    /// Recorded by windows.
    static func gated(preRoll: TimeSpan = .seconds(10), budget: Int64 = 0) -> CameraSettings {
        var settings = CameraSettings.test(segment: .seconds(30), budget: budget)
        settings.gate = GateRole(preRoll: preRoll)
        return settings
    }
}

extension Bench {
    /// Times are in seconds from the bench's start.
    func ask(_ id: String = "w", from: Double, until: Double, asset: String = "", file: String = "") {
        recorder.take(
            RecordingWindow(
                id: id, from: ManualClock.start + TimeSpan(seconds: from),
                until: ManualClock.start + TimeSpan(seconds: until), asset: asset, file: file))
    }

    func seconds(_ time: WallTime) -> Double { (time - ManualClock.start).seconds }

    /// Begin and end of each session, in seconds, as its segments say.
    func sessions() throws -> [[Double]] {
        var found: [Int64: [Double]] = [:]
        for segment in try segments {
            let id = segment.info.id.session
            let track = try #require(segment.fragments.first?.perTrack.first { $0.track == 0 })
            let media = track.baseDecodeTime.scaled(by: 1_000_000, over: segment.tracks[0].timescale)
            let begin = seconds(segment.info.anchor + TimeSpan(microseconds: media))
            let end = seconds(try #require(segment.mediaEndTime))
            found[id] = [min(found[id]?.first ?? begin, begin), max(found[id]?.last ?? end, end)]
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    func spans(_ reason: GapReason) throws -> [[Double]] {
        try gaps.filter { $0.reason == reason }.map { [seconds($0.from)] + ($0.to.map { [seconds($0)] } ?? []) }
    }

    var names: [SessionNames] {
        get throws {
            try records.compactMap { if case .sessionStart(_, _, _, _, let names) = $0 { names } else { nil } }
        }
    }

    var closed: [String] {
        messages.compactMap { if case .event("windowClosed", _, let detail) = $0 { detail } else { nil } }
    }

    /// Codes of what the recorder complained of, among other news.
    var faults: [String] {
        messages.compactMap { if case .event(let type, _, _) = $0 { type } else { nil } }
    }

    var preRollFiles: [String] {
        // Without the folder there are none.
        (try? FileManager.default.contentsOfDirectory(atPath: workspace.path + "/pre-roll")) ?? []
    }
}
