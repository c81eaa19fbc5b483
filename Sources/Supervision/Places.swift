package import Recording
package import YAMLConfiguration

/// Where cvrd and its processes keep things (ARCHITECTURE, "On disk").
package struct Places: Hashable, Sendable {
    package let runtime: String
    package let state: String
    package let cache: String

    package init(_ box: BoxConfiguration) {
        runtime = box.runtimePath
        state = box.statePath
        cache = box.cachePath
    }

    /// Those of a configuration that may be full of mistakes.
    package init(_ directories: BoxDirectories) {
        runtime = directories.runtime
        state = directories.state
        cache = directories.cache
    }

    package var adminSocket: String { "\(runtime)/admin.sock" }
    package var instanceLock: String { "\(runtime)/cvrd.lock" }
    package var syncDirectory: String { "\(runtime)/sync" }
    package var syncSocket: String { "\(syncDirectory)/sync.sock" }
    package var syncHeartbeat: String { "\(syncDirectory)/heartbeat" }
    package var playbackDirectory: String { "\(runtime)/playback" }
    package var playbackSocket: String { "\(playbackDirectory)/playback.sock" }
    package var gatewayDirectory: String { "\(runtime)/gateway" }
    package var gatewaySocket: String { "\(gatewayDirectory)/gateway.sock" }
    package var syncLock: String { "\(state)/sync/lock" }
    package var credentials: String { "\(state)/credentials" }
    package var builds: String { "\(state)/builds" }
    package var graphEvents: String { "\(state)/graph-events" }
    package var bitRates: String { "\(state)/bitrates" }
    package var graph: String { "\(state)/graph" }
    package var identities: String { "\(state)/identities" }
    package var sessions: String { "\(state)/sessions" }

    package func runDirectory(_ camera: CameraName) -> String { "\(runtime)/\(camera)" }
    package func runDirectory(_ camera: CameraName, _ slot: Slot) -> String { "\(runtime)/\(camera)/\(slot.rawValue)" }
    package func workerSocket(_ camera: CameraName, _ slot: Slot) -> String {
        runDirectory(camera, slot) + "/worker.sock"
    }
    package func lock(_ camera: CameraName, _ slot: Slot) -> String {
        cacheDirectory(camera) + "/lock.\(slot.rawValue)"
    }
    package func cacheDirectory(_ camera: CameraName) -> String { "\(cache)/\(camera)" }
    package func identity(_ camera: CameraName) -> String { "\(identities)/\(camera)" }
}

/// Where the programs are: beside cvrd, else where the package puts them.
package struct Programs: Hashable, Sendable {
    package let ingest: String
    package let sync: String
    package let playback: String
    package let gateway: String

    package init(ingest: String, sync: String, playback: String, gateway: String) {
        self.ingest = ingest
        self.sync = sync
        self.playback = playback
        self.gateway = gateway
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
        return Programs(
            ingest: find("cvr-ingest"), sync: find("cvr-sync"), playback: find("cvr-playback"),
            gateway: find("cvr-gateway"))
    }
}
