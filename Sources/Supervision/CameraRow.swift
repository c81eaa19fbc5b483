import Messages
import Recording
import YAMLConfiguration

/// A fault, and when it was noted.
struct NotedFault: Hashable, Sendable {
    let fault: Fault
    let at: WallTime?

    init(_ fault: Fault, at time: WallTime? = .now) {
        self.fault = fault
        at = time
    }
}

extension GapReason {
    /// The camera, its network and its disk are innocent of it; how the worker ended is counted by itself.
    var isOfWorker: Bool {
        [.workerCrash, .workerHang, .hostRestart, .stopped, .gateClosed, .preRollTooShort, .evicted, .unknown]
            .contains(self)
    }
}

extension Admin.Fault {
    init(_ fault: Fault, at time: WallTime?) {
        self.init(code: fault.code, message: fault.message, nextStep: fault.nextStep, time: time?.rfc3339)
    }
}

/// One camera in cvrd's table: what is wanted, who keeps it, and what is known.
struct CameraRow {
    var configuration: CameraConfiguration
    let link: WorkerLink
    let keeper: Keeper
    var bitRate: BitRateMean
    /// Nil until the keeper has looked what runs.
    var kept: KeeperStatus?
    var progress: WorkerProgress?
    var progressAt = MonotonicTime.now
    /// What its worker says that holds it back; nil until it greets.
    var sandbox: String?
    /// The release and build id that its worker is of; nil until it greets.
    var build: String?
    /// Its worker waits for the disk.
    var stall: NotedFault?
    /// Its password cannot be read.
    var credential: NotedFault?
    var state: CameraState?
    /// On no wall clock: that may be set meanwhile, by years at boot.
    var stateSince = MonotonicTime.now
    var budget: Int64 = 0
    /// How often since cvrd started, by fault code of its worker's end or stall, and by reason of a gap that a living
    /// worker reports: what went wrong, told apart.
    private(set) var troubles: [String: Int64] = [:]
    /// When the worker was first seen to record without a break.
    var recordingSince: MonotonicTime?
    /// Learnt by a swap: it dropped or refused a second connection.
    var allowsOneConnection = false

    /// What the operator sees: the worker's own word while it lives, cvrd's otherwise.
    var currentState: CameraState {
        guard let kept else { return configuration.enabled ? .starting : .stopped }
        return switch kept.phase {
        case .stopped: .stopped
        case .refused: .refused
        case .waiting: kept.isFlapping ? .flapping : .backingOff
        case .stopping: kept.pid == nil ? .stopped : reported
        case .running(let since):
            kept.isFlapping && reported != .recording && MonotonicTime.now - since < RestartPolicy.healthy
                ? .flapping : reported
        }
    }

    private var reported: CameraState { kept?.pid == nil ? .starting : progress?.state ?? .starting }

    /// What keeps cvrd from its worker, the worker's trouble with its camera, else how the last worker ended, until a
    /// minute of health.
    var lastError: NotedFault? {
        if let own = stall ?? credential { return own }
        if let progress, let fault = progress.lastFault { return NotedFault(fault, at: progress.lastFaultAt) }
        if case .running(let since) = kept?.phase, MonotonicTime.now - since > RestartPolicy.healthy { return nil }
        return kept?.fault.map { NotedFault($0, at: kept?.faultAt) }
    }

    /// `what` is of a fixed set of words, never a worker's own.
    mutating func count(_ what: String) { troubles[what, default: 0] += 1 }

    mutating func refreshState() {
        let now = currentState
        guard now != state else { return }
        state = now
        stateSince = .now
    }

    /// What was known of a process that is gone.
    mutating func forgetProcess() {
        progress = nil
        sandbox = nil
        build = nil
        stall = nil
        recordingSince = nil
    }

    func summary(_ cache: SyncInterface.CacheState?, _ graph: Admin.GraphState?) -> Admin.Camera {
        let since = WallTime.now - (MonotonicTime.now - stateSince)
        var camera = Admin.Camera(
            name: configuration.name.text, state: currentState.rawValue, since: since.rfc3339)
        camera.pid = kept?.pid.map(Int64.init)
        camera.restarts = kept?.restarts ?? 0
        camera.cacheBudgetBytes = budget
        camera.cacheFull = configuration.cacheFull.rawValue
        camera.troubles = troubles
        camera.unverifiedTLS = configuration.acceptsUnverifiedTLS && configuration.isTLS
        camera.sandbox = sandbox
        camera.lastError = lastError.map { Admin.Fault($0.fault, at: $0.at) }
        camera.build = build ?? ""
        camera.graph = graph
        if let progress, kept?.pid != nil {
            camera.session = progress.session
            camera.codec = progress.codec
            camera.width = progress.width
            camera.height = progress.height
            camera.framesPerSecond = progress.framesPerSecond
            camera.bitsPerSecond = progress.bitsPerSecond
            camera.framesReceived = progress.framesReceived
            camera.bytesReceived = progress.bytesReceived
            camera.lastFrameAge = progress.lastFrameAge.map { ($0 + (MonotonicTime.now - progressAt)).seconds }
            camera.anomalies = progress.anomalies
            if progress.fsyncs > 0 {
                camera.fsyncs = progress.fsyncs
                camera.fsyncTime = progress.fsyncTime.seconds
                camera.fsyncP99 = progress.fsyncP99?.seconds
            }
        }
        if let cache {
            camera.cacheBytes = cache.cacheBytes
            camera.pendingSegments = cache.pendingSegments
            camera.pendingBytes = cache.pendingBytes
            camera.oldestLocal = cache.oldestLocal
            camera.evictionIn = cache.evictionIn
        }
        return camera
    }

    var listed: Admin.CameraConfiguration {
        Admin.CameraConfiguration(
            name: configuration.name.text,
            url: configuration.graph?.isURLSecret == true ? "(secret)" : configuration.url,
            username: configuration.graph == nil || configuration.username.isEmpty
                ? configuration.username : "(secret)",
            transport: configuration.transport.rawValue,
            segmentLength: configuration.segmentLength.seconds, retention: configuration.retention?.seconds,
            asset: configuration.asset, enabled: configuration.enabled,
            origin: configuration.origin)
    }
}

extension SyncInterface.Configuration {
    /// What cvr-sync must know of a box.
    init(_ box: BoxConfiguration, _ places: Places, budgets: [CameraName: Int64], trustsClock: Bool) {
        self.init(
            site: box.site.text, cachePath: box.cachePath, statePath: box.statePath, storeURL: box.store.url,
            storeAccess: SyncInterface.StoreAccess(proxy: box.store.proxy, storageClass: box.store.storageClass),
            heartbeatPath: places.syncHeartbeat, minimumFreePercent: box.minimumFreePercent,
            trustsClock: trustsClock,
            cameras: box.cameras.values.sorted { $0.name < $1.name }.map { camera in
                SyncInterface.Camera(
                    name: camera.name.text, asset: camera.asset, configured: true,
                    segmentLength: camera.segmentLength.seconds, retention: camera.retention?.seconds,
                    cacheBudgetBytes: budgets[camera.name] ?? 0,
                    dropsOldest: camera.cacheFull == .dropOldest,
                    files: camera.graph?.files.map {
                        SyncInterface.Files(directory: $0.directory, maximumBytes: $0.maximumBytes)
                    }, uploads: camera.graph?.uploads ?? true, recorded: camera.enabled)
            }, bandwidth: SyncInterface.Bandwidth(box.store.bandwidth), filePaths: box.filePaths)
    }
}

extension SyncInterface.Bandwidth {
    init(_ bandwidth: BandwidthConfiguration) {
        self.init(
            limit: bandwidth.limit.bitsPerSecond,
            schedule: bandwidth.schedule.map { window in
                Window(
                    days: BandwidthConfiguration.Day.allCases.enumerated().filter { window.days.contains($1) }
                        .map { Int64($0.offset) },
                    from: Int64(window.from), to: Int64(window.to), limit: window.limit.bitsPerSecond,
                    liveOnly: window.lanes == .live)
            },
            metered: bandwidth.metered.map { link in
                Metered(
                    interfaces: link.interfaces, limit: link.limit.bitsPerSecond, liveOnly: link.lanes == .live)
            })
    }
}
