import Foundation
import Messages
import TestSupport
import Testing

extension EightCameras.Plan {
    private static func number(_ name: String, _ otherwise: Int) -> Int {
        Int(ProcessInfo.processInfo.environment["CVR_SOAK_\(name)"] ?? "") ?? otherwise
    }

    /// What `contrib/soak` was asked for.
    static var soak: Self {
        var plan = Self()
        plan.segmentLength = 30
        plan.segments = max(1, number("MINUTES", 10) * 60 / plan.segmentLength)
        plan.cameras = max(1, number("CAMERAS", 8))
        plan.kills = number("KILLS", 50)
        plan.earlyKills = min(plan.kills, 3)
        // The largest clip makes 5 MiB a minute; a kill costs 10 s. Nothing may be evicted: all of it is compared.
        plan.cacheMiB = 64 + 5 * (plan.segments / 2 + plan.kills / 6)
        return plan
    }

    /// Recording, killing, and as long again to look at it all.
    static var soakMinutes: Int { 60 + 2 * (soak.segments / 2 + soak.kills / 4) }
}

/// The long figures: `contrib/soak`.
@Suite(
    "Soak", .showsEvidence(of: EightCameras.evidence),
    .enabled(if: ProcessInfo.processInfo.environment["CVR_SOAK_MINUTES"] != nil))
struct SoakTests {
    @Test(
        "records for minutes, survives its kills and loses nothing", .timeLimit(.minutes(EightCameras.Plan.soakMinutes))
    )
    func soak() async throws {
        let run = try await EightCameras(.soak)
        print(Self.table(run))
        run.checkUndisturbed()
        run.checkContinuity()
        run.checkObjects()
        run.checkLengths()
        run.checkDescriptors()
        run.checkContained()
        try run.checkVictim()
        run.checkSecrets()
        run.checkEnd()
    }

    static func table(_ run: EightCameras) -> String {
        var rows = ["camera     segments  gaps  coverage %   frames    lost  repeated  breaks"]
        for camera in run.undisturbed {
            let track = run.footage[camera.name]?[1]?.tracks.first ?? Continuity()
            rows.append(
                [
                    camera.name.padded(11), "\(camera.stored.count)".padded(10), "\(camera.gaps.count)".padded(6),
                    String(format: "%.3f", camera.coverage?.percent ?? 0).padded(13), "\(track.samples)".padded(10),
                    "\(track.lost)".padded(6), "\(track.duplicated)".padded(10), "\(track.breaks)",
                ].joined())
        }
        let complaints = run.footage.values.flatMap(\.values).reduce(0) { $0 + $1.complaints.count }
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
