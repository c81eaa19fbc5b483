package import Catalog
package import Messages
import ObjectStore
package import Recording

/// What cvrd configured, checked.
package struct SyncSettings: Hashable, Sendable {
    /// One camera's share: where its footage goes and how long it stays.
    package struct Camera: Hashable, Sendable {
        package var asset: String
        package var segmentLength: TimeSpan
        /// Nil keeps for ever.
        package var retention: TimeSpan?
        /// Nil is bounded by the disk alone.
        package var cacheBudget: Int64?
        package var dropsOldest: Bool
        package var files: FileSink?
        /// False: what has no asset of its own goes into files alone.
        package var uploads: Bool
        /// False: no worker is to come and close what the last one left open.
        package var isRecorded: Bool

        package init(
            asset: String, segmentLength: TimeSpan = .seconds(30), retention: TimeSpan? = nil,
            cacheBudget: Int64? = nil, dropsOldest: Bool = false, files: FileSink? = nil, uploads: Bool = true,
            isRecorded: Bool = true
        ) {
            self.asset = asset
            self.segmentLength = segmentLength
            self.retention = retention
            self.cacheBudget = cacheBudget
            self.dropsOldest = dropsOldest
            self.files = files
            self.uploads = uploads
            self.isRecorded = isRecorded
        }
    }

    package var site: SiteName
    package var cachePath: String
    package var statePath: String
    package var store: StoreLocation
    package var storeAccess = SyncInterface.StoreAccess()
    package var heartbeatPath: String
    package var minimumFreePercent: Double
    package var trustsClock: Bool
    package var bandwidth: BandwidthPlan
    /// What files may be written below.
    package var filePaths: [String]
    /// Configured cameras only; what the others were is in the catalog.
    package var cameras: [CameraName: Camera]

    package init(
        site: SiteName, cachePath: String, statePath: String, store: StoreLocation, heartbeatPath: String,
        minimumFreePercent: Double = 0, trustsClock: Bool = false, bandwidth: BandwidthPlan = BandwidthPlan(),
        filePaths: [String] = [], cameras: [CameraName: Camera]
    ) {
        self.site = site
        self.cachePath = cachePath
        self.statePath = statePath
        self.store = store
        self.heartbeatPath = heartbeatPath
        self.minimumFreePercent = minimumFreePercent
        self.trustsClock = trustsClock
        self.bandwidth = bandwidth
        self.filePaths = filePaths
        self.cameras = cameras
    }

    package init(_ message: SyncInterface.Configuration) throws(SyncError) {
        guard let site = SiteName(message.site) else { throw .argument("site", message.site) }
        let store: StoreLocation
        do throws(StoreLocation.Mistake) { store = try StoreLocation(message.storeURL) } catch {
            throw SyncError(.invalidArgument, "store.url: \(error.message)", nextStep: "correct it in cvr.yaml")
        }
        let filePaths = message.filePaths ?? []
        for path in [message.cachePath, message.statePath, message.heartbeatPath] + filePaths
        where !path.hasPrefix("/") {
            throw .argument("path", path)
        }
        var cameras: [CameraName: Camera] = [:]
        for camera in message.cameras where camera.configured {
            guard let name = CameraName(camera.name) else { throw .argument("camera", camera.name) }
            guard ObjectKey.isSafe(camera.asset) else { throw .argument("asset", camera.asset) }
            let files = camera.files.map { FileSink(directory: $0.directory, maximumBytes: $0.maximumBytes) }
            cameras[name] = Camera(
                asset: camera.asset, segmentLength: TimeSpan(seconds: camera.segmentLength),
                retention: camera.retention.map { TimeSpan(seconds: $0) },
                cacheBudget: camera.cacheBudgetBytes > 0 ? camera.cacheBudgetBytes : nil,
                dropsOldest: camera.dropsOldest, files: files, uploads: camera.uploads ?? true,
                isRecorded: camera.recorded ?? true)
        }
        self.init(
            site: site, cachePath: message.cachePath, statePath: message.statePath, store: store,
            heartbeatPath: message.heartbeatPath, minimumFreePercent: message.minimumFreePercent,
            trustsClock: message.trustsClock,
            bandwidth: try message.bandwidth.map { (sent) throws(SyncError) in try BandwidthPlan(sent) }
                ?? BandwidthPlan(),
            filePaths: filePaths, cameras: cameras)
        storeAccess = message.storeAccess ?? storeAccess
    }

    /// An upload pass runs this often: nothing waits longer than two of its own periods.
    package var period: TimeSpan {
        max(.seconds(1), cameras.values.map(\.segmentLength).min() ?? .seconds(30))
    }

    /// When in the period the passes of a box are: a thousand that start together do not ask together.
    package func phase(_ random: inout some RandomNumberGenerator) -> TimeSpan {
        TimeSpan(microseconds: .random(in: 0..<max(1, period.microseconds), using: &random))
    }

    var folder: SyncFolder { SyncFolder(state: statePath) }
    var catalogPath: String { folder.path + "/catalog.sqlite" }

    /// What the catalog is a function of (I6): another place, another catalog.
    var origin: String { "\(site) \(cachePath) \(store.place)" }

    func cachePath(_ camera: CameraName) -> String { "\(cachePath)/\(camera)" }

    /// False for a camera that is stopped, drained or not configured any more.
    func isRecorded(_ camera: CameraName) -> Bool { cameras[camera]?.isRecorded == true }
}

extension String {
    /// An absolute path that leads to this folder or into it, by its words.
    func isBelow(_ folder: String) -> Bool {
        let (own, above) = (split(separator: "/"), folder.split(separator: "/"))
        return hasPrefix("/") && !own.contains("..") && own.starts(with: above)
    }
}
