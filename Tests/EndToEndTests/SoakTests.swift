import Foundation
import Messages
import TestSupport
import Testing

/// The long figures: `contrib/soak`.
@Suite("Soak", .showsEvidence, .enabled(if: ProcessInfo.processInfo.environment["CVR_SOAK_MINUTES"] != nil))
struct SoakTests {
    static func number(_ name: String, _ otherwise: Int) -> Int {
        Int(ProcessInfo.processInfo.environment["CVR_SOAK_\(name)"] ?? "") ?? otherwise
    }

    @Test("records for minutes, survives its kills and loses nothing", .timeLimit(.minutes(240)))
    func soak() async throws {
        var plan = EightCameras.Plan()
        plan.segmentLength = 30
        plan.segments = max(1, Self.number("MINUTES", 10) * 60 / plan.segmentLength)
        plan.cameras = Self.number("CAMERAS", 8)
        plan.kills = Self.number("KILLS", 50)
        let run = try await EightCameras(plan)
        print(Self.table(run))
        for camera in run.undisturbed { #expect(camera.gaps.isEmpty && camera.coverage?.percent == 100) }
        for (name, footage) in run.footage {
            #expect(footage.complaints.isEmpty, "\(footage.complaints)")
            for track in footage.tracks { #expect(track.isWhole, "\(name): \(track)") }
        }
        for camera in run.disturbed where camera.name != EightCameras.victim { #expect(camera.gaps.isEmpty) }
        #expect(run.differing.isEmpty && run.unreadable.isEmpty && run.leftovers.isEmpty)
        #expect(run.kills.allSatisfy { $0.lost <= EightCameras.framesPerSecond + 1 })
        #expect(run.secretTraces.isEmpty)
        #expect(run.ending == .exited(0))
    }

    static func table(_ run: EightCameras) -> String {
        var rows = ["camera     segments  gaps  coverage %   frames    lost  repeated  breaks"]
        for camera in run.undisturbed {
            let track = run.footage[camera.name]?.tracks.first ?? Continuity()
            rows.append(
                [
                    camera.name.padded(11), "\(camera.stored.count)".padded(10), "\(camera.gaps.count)".padded(6),
                    String(format: "%.3f", camera.coverage?.percent ?? 0).padded(13), "\(track.samples)".padded(10),
                    "\(track.lost)".padded(6), "\(track.duplicated)".padded(10), "\(track.breaks)",
                ].joined())
        }
        let complaints = run.footage.values.reduce(0) { $0 + $1.complaints.count }
        rows.append("objects stored: \(run.objects), differing: \(run.differing.count), not decoding: \(complaints)")
        if !run.kills.isEmpty {
            let respawns = run.kills.map { Int($0.respawn.seconds * 1000) }.sorted()
            let lost = run.kills.map(\.lost).sorted()
            let victim = run.disturbed.first { $0.name == EightCameras.victim }
            rows.append(
                "kills: \(run.kills.count), gap rows: \(victim?.gaps.count ?? 0)"
                    + ", respawn median \(respawns[respawns.count / 2]) ms, most \(respawns.last ?? 0) ms"
                    + ", frames lost median \(lost[lost.count / 2]), most \(lost.last ?? 0)"
                    + " (\(EightCameras.framesPerSecond) a second)")
        }
        return rows.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
