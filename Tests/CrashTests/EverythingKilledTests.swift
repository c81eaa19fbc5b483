import Foundation
import FragmentedMP4
import Messages
import TestSupport
import Testing

@Suite("Everything killed at once", .showsEvidence, .timeLimit(.minutes(20)))
struct EverythingKilledTests {
    @Test("leaves every whole fragment, closed, in the clip's order, and a gap with a reason")
    func recovered() async throws {
        let crashed = try await Crashed.shared.value
        try await Machine.shared.place {
            try await withBox(Crashed.settings()) { box in
                try crashed.restore(into: box)
                try await box.start()
                try await box.untilSettled(Crashed.cameras, crashed.closed.mapValues { $0 + 1 })
                for camera in Crashed.cameras {
                    let recorded = try await RecordedCamera(camera, in: box)
                    #expect(!recorded.gapReasons.contains("unknown"), "\(String(describing: recorded.coverage))")
                    let gaps = try await box.gaps(of: camera)
                    #expect(!gaps.isEmpty && gaps.allSatisfy { $0.reason != "unknown" }, "\(gaps)")
                }
                #expect(try await box.stop() == .exited(0))
                #expect(SegmentFiles.all(in: "\(box.root)/cache", endings: [".partial", ".suspect"]).isEmpty)
                let clip = try await SourceClip("demo")
                for camera in Crashed.cameras {
                    let files = SegmentFiles.all(in: "\(box.root)/cache/\(camera)", endings: [".mp4"])
                    for file in files { #expect(try SegmentFiles.read(file).isComplete, "\(file)") }
                    let footage = try await Footage(files, of: clip)
                    #expect(footage.complaints.isEmpty, "\(footage.complaints)")
                    for track in footage.tracks { #expect(track.isWhole, "\(camera): \(track)") }
                }
            }
        }
    }

    /// The media files of the crashed box, recovered without any disturbance.
    static let undisturbed = Task { try await recover(dyingAt: nil) }

    @Test(
        "and killed again at each step of recovery gives the same bytes",
        arguments: [
            "recover.truncated", "recover.trailer", "recover.synced", "recover.renamed", "recover.directorySynced",
            "recover.journalled", "journal.written", "journal.synced",
        ])
    func idempotent(step: String) async throws {
        let expected = try await Self.undisturbed.value
        let found = try await Self.recover(dyingAt: step)
        #expect(expected.count > 2 * Crashed.cameras.count)
        #expect(found == expected, "after \(step)")
    }

    /// Starts from the crashed disks, dies at a step, starts again; returns the media files.
    private static func recover(dyingAt step: String?) async throws -> [String: Data] {
        let crashed = try await Crashed.shared.value
        return try await Machine.shared.place {
            try await withBox(Crashed.settings()) { box in
                try crashed.restore(into: box)
                if let step { try await box.die(at: step) }
                try await box.start()
                try await eventually("every partial is closed") {
                    SegmentFiles.all(in: "\(box.root)/cache", endings: [".partial"]).isEmpty ? true : nil
                }
                #expect(try await box.stop() == .exited(0))
                return try FileTree("\(box.root)/cache").ending(".mp4")
            }
        }
    }
}
