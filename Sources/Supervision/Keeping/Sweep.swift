import Glibc
import Isolation
import Recording
import YAMLConfiguration

/// Ends what a box's cvrd left running when it could not end it itself: killed, hung, or between two starts.
///
/// Asks nothing but the disk and the table of processes, so that cameras which are not configured any more, and a
/// `cvr.yaml` that cannot be read, make no difference. Only for when no cvrd runs: it would start them again.
package struct Sweep: Sendable {
    private let places: Places

    package init(_ places: Places) { self.places = places }

    /// Stops the workers, which close their segments, then cvr-sync after its last pass, cvr-playback and cvr-gateway; the
    /// pids that do not end.
    package func run() async -> [Int32] {
        var left = await end(workers)
        let syncs = syncs
        // It may answer no more: then it is ended without a last pass.
        if !syncs.isEmpty { await SyncLink.askToStop(at: .sync(places), within: .seconds(SyncLink.lastPass + 3)) }
        left += await end(syncs)
        left += await end(playbacks + gateways)
        return left
    }

    private func end(_ processes: [RunningProcess]) async -> [Int32] {
        await withTaskGroup(of: Int32?.self) { group in
            for process in processes {
                group.addTask {
                    await Leftover.end(process)
                    return process.signal(0) ? process.pid : nil
                }
            }
            return await group.reduce(into: []) { left, pid in if let pid { left.append(pid) } }
        }
    }

    /// By the cache locks, and by the command lines of those that have not taken theirs yet.
    private var workers: [RunningProcess] {
        var found: [Int32: RunningProcess] = [:]
        for camera in Directory.entries(places.cache).compactMap({ CameraName($0) }) {
            for slot in Slot.allCases {
                if let holder = ProcessRecord.worker(of: camera, slot, places) { found[holder.pid] = holder }
            }
        }
        for process in running(where: { found[$0] == nil && isWorker($0) }) { found[process.pid] = process }
        return Array(found.values)
    }

    private var syncs: [RunningProcess] { running(where: ProcessHome.sync(places).houses) }

    private var playbacks: [RunningProcess] { running(where: ProcessHome.playback(places).houses) }

    private var gateways: [RunningProcess] { running(where: ProcessHome.gateway(places).houses) }

    private func isWorker(_ pid: Int32) -> Bool {
        let arguments = ProcessFacts.arguments(of: pid)
        guard arguments.contains("--camera"), let option = arguments.firstIndex(of: "--cache"),
            let cache = arguments.dropFirst(option + 1).first
        else { return false }
        return cache.hasPrefix(places.cache + "/")
    }

    private func running(where isOurs: (Int32) -> Bool) -> [RunningProcess] {
        Directory.entries("/proc").compactMap { Int32($0) }.filter(isOurs).compactMap { pid in
            // Gone since, or not to be watched: then it cannot be ended either.
            try? RunningProcess.adopt(pid: pid)
        }
    }
}
