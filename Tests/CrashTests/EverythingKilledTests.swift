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
                for camera in Crashed.cameras { try await box.untilStored(crashed.total(camera), of: camera) }
                for camera in Crashed.cameras {
                    let recorded = try await RecordedCamera(camera, in: box)
                    #expect(!recorded.gapReasons.contains("unknown"), "\(String(describing: recorded.coverage))")
                    let gaps = try await box.gaps(of: camera)
                    #expect(!gaps.isEmpty && gaps.allSatisfy { $0.reason != "unknown" }, "\(gaps)")
                }
                #expect(try await box.stop() == .exited(0))
                #expect(SegmentFiles.all(in: "\(box.root)/cache", endings: [".partial", ".suspect"]).isEmpty)
                try expectFragments(crashed, in: box)
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

    /// What was growing is closed with all that it had up to its last whole fragment, byte for byte (I2).
    private func expectFragments(_ crashed: Crashed, in box: Box) throws {
        let growing = crashed.cache.ending(".partial")
        #expect(growing.count == Crashed.cameras.count)
        for (name, bytes) in growing {
            let segment = try SegmentFiles.read(bytes)
            #expect(!segment.fragments.isEmpty, "\(name)")
            let path = "\(box.root)/cache/\(name.dropLast(".partial".count))"
            let recovered = try Data(contentsOf: URL(filePath: path))
            #expect(recovered.starts(with: bytes.prefix(Int(segment.mediaEnd))), "\(name)")
            #expect(try SegmentFiles.read(recovered).fragments == segment.fragments, "\(name)")
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
