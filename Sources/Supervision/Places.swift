import Configuration
import Recording

/// Where cvrd and its processes keep things (ARCHITECTURE, "On disk").
struct Places: Hashable, Sendable {
    let runtime: String
    let state: String
    let cache: String

    init(_ box: BoxConfiguration) {
        runtime = box.runtimePath
        state = box.statePath
        cache = box.cachePath
    }

    var adminSocket: String { "\(runtime)/admin.sock" }
    var instanceLock: String { "\(runtime)/cvrd.lock" }
    var syncDirectory: String { "\(runtime)/sync" }
    var syncSocket: String { "\(syncDirectory)/sync.sock" }
    var syncHeartbeat: String { "\(syncDirectory)/heartbeat" }
    var credentials: String { "\(state)/credentials" }
    var identities: String { "\(state)/identities" }

    func runDirectory(_ camera: CameraName, _ slot: Slot) -> String { "\(runtime)/\(camera)/\(slot.rawValue)" }
    func workerSocket(_ camera: CameraName, _ slot: Slot) -> String { runDirectory(camera, slot) + "/worker.sock" }
    func cacheDirectory(_ camera: CameraName) -> String { "\(cache)/\(camera)" }
    func identity(_ camera: CameraName) -> String { "\(identities)/\(camera)" }
}

/// Where the programs are: beside cvrd, else where the installs them.
package struct Programs: Hashable, Sendable {
    let ingest: String
    let sync: String

    init(ingest: String, sync: String) {
        self.ingest = ingest
        self.sync = sync
    }

    /// Looks beside the running binary.
    ///
    /// Looked up once: after an upgrade replaced the files, the path still names the new ones.
    package static func beside(_ ownPath: String?, exists: (String) -> Bool) -> Programs {
        let own = ownPath.flatMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }
        func find(_ name: String) -> String {
            if let own, exists("\(own)/\(name)") { return "\(own)/\(name)" }
            return "/usr/libexec/cvr/\(name)"
        }
        return Programs(ingest: find("cvr-ingest"), sync: find("cvr-sync"))
    }
}
