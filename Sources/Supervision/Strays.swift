import Configuration
import Glibc
import Isolation
import Recording

/// What workers of an earlier cvrd left whose camera is not configured any more.
enum Strays {
    /// Looks through the run directories and blocks on the disk; without a process only files are left.
    static func find(
        _ places: Places, except known: Set<CameraName>
    ) -> [(camera: CameraName, process: RunningProcess?)] {
        var found: [(camera: CameraName, process: RunningProcess?)] = []
        for camera in Directory.entries(places.runtime).compactMap({ CameraName($0) }) where !known.contains(camera) {
            let directories = Slot.allCases.filter { access(places.runDirectory(camera, $0), F_OK) == 0 }
            for slot in directories { found.append((camera, worker(of: camera, slot, places))) }
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
        ProcessRecord.process(
            at: places.runDirectory(camera, slot) + "/state.json",
            startedWith: ["--camera", camera.text, "--slot", slot.rawValue])
    }
}

/// The names in a directory; none in one that cannot be read.
enum Directory {
    static func entries(_ path: String) -> [String] {
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
