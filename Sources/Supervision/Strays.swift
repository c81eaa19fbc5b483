import Glibc
import Isolation
import Recording

/// Workers of an earlier cvrd whose camera is not configured any more.
enum Strays {
    /// Looks through the run directories; blocks on the disk.
    static func find(
        _ places: Places, except known: Set<CameraName>
    ) -> [(camera: CameraName, process: RunningProcess)] {
        guard let handle = opendir(places.runtime) else { return [] }
        defer { closedir(handle) }
        var found: [(camera: CameraName, process: RunningProcess)] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let camera = CameraName(name), !known.contains(camera) else { continue }
            for slot in Slot.allCases {
                let record = places.runDirectory(camera, slot) + "/state.json"
                let arguments = ["--camera", camera.text, "--slot", slot.rawValue]
                if let process = ProcessRecord.process(at: record, startedWith: arguments) {
                    found.append((camera, process))
                }
            }
        }
        return found
    }
}
