import Glibc
import Isolation
import Recording
import YAMLConfiguration

/// What workers of an earlier cvrd left whose camera is not configured any more.
enum Strays {
    /// Looks through the run directories and blocks on the disk; without a process only files are left.
    static func find(
        _ places: Places, except known: Set<CameraName>
    ) -> [(camera: CameraName, process: RunningProcess?)] {
        var found: [(camera: CameraName, process: RunningProcess?)] = []
        let named = Directory.entries(places.runtime) + Directory.entries(places.cache)
        for camera in Set(named.compactMap { CameraName($0) }).sorted() where !known.contains(camera) {
            for slot in Slot.allCases {
                let process = worker(of: camera, slot, places)
                guard process != nil || access(places.runDirectory(camera, slot), F_OK) == 0 else { continue }
                found.append((camera, process))
            }
        }
        return found
    }

    /// Removes a camera's run directory, unless a worker still lives there; blocks on the disk.
    static func removeDirectory(of camera: CameraName, _ places: Places) {
        for slot in Slot.allCases where worker(of: camera, slot, places) == nil {
            let directory = places.runDirectory(camera, slot)
            // Sockets and small files; what cannot be removed keeps its directory, and does no harm.
            for name in Directory.entries(directory) { try? SmallFile.remove("\(directory)/\(name)") }
            SmallFile.removeEmptyDirectory(directory)
        }
        SmallFile.removeEmptyDirectory(places.runDirectory(camera))
    }

    private static func worker(of camera: CameraName, _ slot: Slot, _ places: Places) -> RunningProcess? {
        // In a run directory that was wiped under it, the cache's lock still names it.
        let state = places.runDirectory(camera, slot) + "/state.json"
        return ProcessRecord.process(at: state, startedWith: ProcessRecord.arguments(of: camera, slot))
            ?? ProcessRecord.worker(of: camera, slot, places)
    }
}
