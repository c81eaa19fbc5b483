import Foundation
import Messages
import Recording
import Sync
import TestSupport
import Varlink

/// A real `cvr-sync`, started as cvrd starts it, on a rig's cache, with a service for its store.
struct KilledSync: Sendable {
    let process: ChildProcess
    private let socket: String
    private let configuration: SyncInterface.Configuration

    init(_ rig: Rig, store url: String, credential: String) throws {
        let run = rig.root + "/run"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        socket = run + "/sync.sock"
        configuration = SyncInterface.Configuration(
            site: rig.settings.site.text, cachePath: rig.settings.cachePath, statePath: rig.settings.statePath,
            storeURL: url, storeAccess: SyncInterface.StoreAccess(credential: Secret(credential)),
            heartbeatPath: rig.settings.heartbeatPath, minimumFreePercent: 0, trustsClock: true,
            cameras: rig.settings.cameras.map { name, camera in
                SyncInterface.Camera(
                    name: name.text, asset: camera.asset, configured: true, segmentLength: 1, retention: nil,
                    cacheBudgetBytes: camera.cacheBudget ?? 0, dropsOldest: false)
            })
        process = try ChildProcess(
            Repository.binaries + "/cvr-sync",
            [
                "--run", run, "--cache", rig.settings.cachePath, "--state", rig.settings.statePath, "--store", url,
            ], log: rig.root + "/log")
    }

    /// When its life is counted from.
    enum Birth {
        case spawn
        /// It is listening: what is before takes longer than most lives on a busy machine.
        case socket
    }

    /// Lets it live for so long and kills it; an error when it ended by itself before.
    func die(after life: Duration, from birth: Birth) async throws {
        do {
            if birth == .socket { await (try await connect()).close() }
            let ending = try await process.end(within: life)
            throw Ended(ending: ending)
        } catch is Missed {
            process.signal(SIGKILL)
            try await process.end()
        }
    }

    private func connect() async throws -> VarlinkClient {
        try await eventually("cvr-sync answers", every: .milliseconds(2)) {
            guard process.isRunning else { throw Ended(ending: try await process.end()) }
            do { return try await VarlinkClient.connect(path: socket) } catch is VarlinkConnectionError { return nil }
        }
    }

    /// It is no more.
    struct Ended: Error { var ending: Ending }

    /// Tells it what cvrd would, and has it do one pass after the other, until `isDone` or its end.
    ///
    /// `isDone` is shown all that is listed of the camera, and the passes' errors are the store's.
    func work(
        on camera: CameraName, passes: Int = .max, until isDone: @Sendable ([Listing.Segment]) -> Bool
    ) async throws {
        let client = try await connect()
        _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
        for _ in 0..<passes {
            do {
                _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            } catch is VarlinkRemoteError {
                // A fault on the way: the next pass tries again.
            }
            try client.notify("io.cvr.Sync.SegmentClosed", SyncInterface.Hint(camera: camera.text))
            let query = Listing.Query(camera: camera.text)
            let listed = try await client.call("io.cvr.Sync.Segments", query, as: Listing.Segments.self).segments
            if isDone(listed) { return }
        }
        throw Missed("it is not done after \(passes) passes")
    }
}
