import Foundation
import Messages
import TestSupport

extension EightCameras {
    /// Segments of the last session that are waited for.
    private var disturbedSegments: Int { plan.kills == 0 ? 0 : 2 }

    /// Kills the victim's worker again and again, then lets it record.
    mutating func disturb(_ box: Box, _ rig: CameraRig) async throws {
        for _ in 0..<plan.kills { kills.append(try await killSettled(box, rig)) }
        for _ in 0..<plan.earlyKills { try await killEarly(box) }
        try await settle(box)
        for name in names { disturbed.append(try await RecordedCamera(name, in: box)) }
    }

    /// What the killed left behind is closed and stored too: only the last session's own segments say that it records.
    private func settle(_ box: Box) async throws {
        try await eventually("the last session's segments", within: limit(disturbedSegments)) {
            let session = try await box.status(of: Self.victim).session
            let stored = try await box.segments(of: Self.victim).filter { $0.state == "verified" }
            return stored.filter { $0.session == session }.count >= disturbedSegments ? true : nil
        }
    }

    /// A worker that lived for 5 s is replaced at once; where in a fragment it dies is left to chance.
    private func killSettled(_ box: Box, _ rig: CameraRig) async throws -> Kill {
        let worker = try box.worker(of: Self.victim)
        let session = try await box.status(of: Self.victim).session
        try await age(worker, .milliseconds(.random(in: 5500...7500)))
        let sent = try await rig.tracks(of: Self.victim)[0].last
        let killedAt = BoxProcess.bootTime
        kill(worker.pid, SIGKILL)
        let next = try await successor(of: worker, in: box)
        try await eventually("the next session", within: .seconds(20)) {
            try await box.status(of: Self.victim).session > session ? true : nil
        }
        return Kill(session: session, respawn: next.started - killedAt, sent: sent)
    }

    /// Who is killed so young may be killed by what it does: its successor may have to wait.
    private func killEarly(_ box: Box) async throws {
        let worker = try box.worker(of: Self.victim)
        try await age(worker, .milliseconds(.random(in: 0...4500)))
        kill(worker.pid, SIGKILL)
        _ = try await successor(of: worker, in: box)
    }

    private func age(_ worker: BoxProcess, _ age: Duration) async throws {
        try await eventually("the moment to kill", within: .seconds(20), every: .milliseconds(7)) {
            worker.age >= age ? true : nil
        }
    }

    private func successor(of worker: BoxProcess, in box: Box) async throws -> BoxProcess {
        try await eventually("the next worker", within: .seconds(10), every: .milliseconds(10)) {
            box.processes().first { $0.camera == Self.victim && $0 != worker }
        }
    }
}
