import FoundationEssentials
import Glibc
package import Isolation
import Recording
import YAMLConfiguration

/// A process as the files on disk name it: one line of JSON (ARCHITECTURE, "On disk").
package struct ProcessRecord: Codable, Hashable, Sendable {
    var pid: Int32
    var startTime: UInt64
    var bootID: String
    /// Of the program; nil in files that name none.
    var build: String?

    /// The live process that the file at `path` names; nil when there is none.
    ///
    /// The file lies where a captured worker may write: it names a process of ours only if that process was started
    /// with `arguments`, else a worker could have cvrd end its neighbour (I1).
    package static func process(at path: String, startedWith arguments: [String]) -> RunningProcess? {
        // A file that cannot be read or understood names no process.
        guard let bytes = try? SmallFile.read(path, limit: 4096),
            let record = try? JSONDecoder().decode(ProcessRecord.self, from: Data(bytes)),  // see above
            record.bootID == ProcessFacts.bootID(),
            let process = try? RunningProcess.adopt(pid: record.pid, startTime: record.startTime)  // see above
        else { return nil }
        return isOurs(process.pid, startedWith: arguments) ? process : nil
    }

    /// The live worker that a camera's lock names, nil when there is none; blocks on the cache's disk.
    static func worker(of camera: CameraName, _ slot: Slot, _ places: Places) -> RunningProcess? {
        process(at: places.lock(camera, slot), startedWith: arguments(of: camera, slot))
    }

    /// How every worker of a slot is started.
    static func arguments(of camera: CameraName, _ slot: Slot) -> [String] {
        ["--camera", camera.text, "--slot", slot.rawValue]
    }

    /// True for a process whose command line holds `arguments` side by side.
    package static func isOurs(_ pid: Int32, startedWith arguments: [String]) -> Bool {
        let found = ProcessFacts.arguments(of: pid)
        return found.indices.contains { found[$0...].starts(with: arguments) }
    }
}

/// Ends processes that nobody can talk to any more.
package enum Leftover {
    static let patience = StopPatience(beforeTermination: .zero, beforeKill: .seconds(10))

    /// SIGTERM, by which a worker closes its segment, and SIGKILL if that takes too long; returns when it is gone, or
    /// does not go: it waits for a dead disk.
    package static func end(_ process: RunningProcess) async {
        process.signal(SIGTERM)
        await withDiscardingTaskGroup { group in
            group.addTask {
                // A cancelled wait kills at once: cvrd ends and cannot wait.
                try? await Task.sleep(for: patience.beforeKill)
                process.signal(SIGKILL)
            }
            _ = await process.exit(within: patience.beforeKill + patience.afterKill)
            group.cancelAll()
        }
    }
}
