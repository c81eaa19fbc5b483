package import Recording

/// What cvrd tells a camera's worker.
package enum SupervisorToIngest: Sendable {
    /// The first message on a connection: which version this cvrd speaks.
    ///
    /// Not for a worker of version 1, which says hello unasked and hangs up on what it does not know.
    case greet
    /// Answers the worker's hello, and again when the camera's settings changed in a way that a running
    /// worker can take over (see `CameraSettings.differsOnlyInLimits`).
    case configure(CameraSettings)
    /// Close the segment, open a gap of this reason, exit 0.
    case stop(GapReason)
    /// End the recording right before the next keyframe and leave the rest to the successor that waits; without a
    /// recording, at once.
    case handOver
    /// Record what lies in this window; for a camera with a gate, and for no worker before version 4.
    case window(RecordingWindow)
}

/// Everything that a worker needs to record its camera.
///
/// The only carrier of the camera's password.
package struct CameraSettings: Hashable, Sendable {
    package enum Transport: String, Sendable {
        case tcp, udp
        /// RTSP in HTTP, at the port of the URL.
        case http
    }

    /// Why the worker's predecessor ended, as cvrd saw it.
    ///
    /// It is the reason of the gap that recovery opens when the journal itself does not know. Nil: cvrd saw nothing.
    package var predecessorEnd: GapReason?
    /// The last session of this camera that cvrd knows of; a cache on a new disk knows of none.
    package var lastSession: Int64 = 0
    /// `rtsp://` or `rtsps://`, without userinfo.
    package var url: String
    package var username: String
    package var password: Secret
    package var transport: Transport
    /// `tls: { verify: none }`: without it an rtsps camera is refused while the engine verifies nothing.
    package var acceptsUnverifiedTLS: Bool
    package var segmentLength: TimeSpan
    package var cacheBudgetBytes: Int64
    /// `cacheFull: dropOldest`; false is `stopRecording`.
    package var dropsOldest: Bool
    /// A file that cvr-sync touches every second; older than 5 s means that sync is away (I7).
    package var syncHeartbeatPath: String
    /// `clock: { trust: always }`.
    package var trustsClock: Bool
    /// False: the camera is not asked for it.
    package var takesAudio = true
    package var takesVideo = true
    /// Nil: all that comes is recorded.
    package var gate: GateRole?
    /// The asset of the sessions of a camera without a gate; empty: the camera's own.
    package var sessionAsset = ""

    package init(
        predecessorEnd: GapReason? = nil, url: String, username: String, password: Secret, transport: Transport,
        acceptsUnverifiedTLS: Bool, segmentLength: TimeSpan, cacheBudgetBytes: Int64, dropsOldest: Bool,
        syncHeartbeatPath: String, trustsClock: Bool
    ) {
        self.predecessorEnd = predecessorEnd
        self.url = url
        self.username = username
        self.password = password
        self.transport = transport
        self.acceptsUnverifiedTLS = acceptsUnverifiedTLS
        self.segmentLength = segmentLength
        self.cacheBudgetBytes = cacheBudgetBytes
        self.dropsOldest = dropsOldest
        self.syncHeartbeatPath = syncHeartbeatPath
        self.trustsClock = trustsClock
    }

    /// True when a running worker can go from `self` to `other` without touching its connection.
    package func differsOnlyInLimits(from other: CameraSettings) -> Bool {
        var same = other
        same.predecessorEnd = predecessorEnd
        same.lastSession = lastSession
        same.segmentLength = segmentLength
        same.cacheBudgetBytes = cacheBudgetBytes
        same.dropsOldest = dropsOldest
        same.syncHeartbeatPath = syncHeartbeatPath
        same.trustsClock = trustsClock
        return same == self
    }
}

extension SupervisorToIngest {
    package var frame: [UInt8] { frame(in: Frame.version) }

    /// As a peer of an older version reads it.
    package func frame(in version: UInt8) -> [UInt8] {
        switch self {
        case .configure(let settings):
            Frame.encode(kind: 1, version: version) { $0.put(settings, version) }
        case .stop(let reason):
            Frame.encode(kind: 2, version: version) { $0.put(reason.rawValue) }
        case .greet: Frame.encode(kind: 3, version: version)
        case .handOver: Frame.encode(kind: 4, version: version)
        case .window(let window):
            // An older worker has no gate, and would hang up: a greeting changes nothing.
            version >= 4
                ? Frame.encode(kind: 5, version: version) { $0.put(window) }
                : SupervisorToIngest.greet.frame(in: version)
        }
    }

    package init(content: [UInt8]) throws(MessageError) {
        var (version, kind, body) = try Frame.open(content)
        switch kind {
        case 1: self = .configure(try body.cameraSettings(version))
        case 2: self = .stop(GapReason(rawValue: try body.text()) ?? .unknown)
        case 3: self = .greet
        case 4: self = .handOver
        case 5: self = .window(try body.recordingWindow())
        default:
            throw MessageError("an unknown message \(kind) from the supervisor; this build is version \(Frame.version)")
        }
        try body.finish()
    }
}

extension ByteWriter {
    fileprivate mutating func put(_ settings: CameraSettings, _ version: UInt8) {
        put(settings.predecessorEnd) { $0.put($1.rawValue) }
        put(settings.lastSession)
        put(settings.url)
        put(settings.username)
        put(settings.password.revealed())
        put(settings.transport.rawValue)
        put(settings.acceptsUnverifiedTLS)
        put(settings.segmentLength)
        put(settings.cacheBudgetBytes)
        put(settings.dropsOldest)
        put(settings.syncHeartbeatPath)
        put(settings.trustsClock)
        guard version >= 4 else { return }
        put(settings.takesAudio)
        put(settings.takesVideo)
        put(settings.gate) { $0.put($1.preRoll) }
        put(settings.sessionAsset)
    }
}

extension ByteReader {
    fileprivate mutating func cameraSettings(_ version: UInt8) throws(MessageError) -> CameraSettings {
        let predecessorEnd = try optional { (reader) throws(MessageError) in
            GapReason(rawValue: try reader.text()) ?? .unknown
        }
        let lastSession = try int64()
        let (url, username, password) = (try text(), try text(), Secret(try text()))
        let transport = try text()
        guard let transport = CameraSettings.Transport(rawValue: transport) else {
            throw MessageError("an unknown transport '\(transport)'")
        }
        var settings = CameraSettings(
            predecessorEnd: predecessorEnd, url: url, username: username, password: password, transport: transport,
            acceptsUnverifiedTLS: try flag(), segmentLength: try timeSpan(), cacheBudgetBytes: try int64(),
            dropsOldest: try flag(), syncHeartbeatPath: try text(), trustsClock: try flag())
        settings.lastSession = lastSession
        guard version >= 4 else { return settings }
        (settings.takesAudio, settings.takesVideo) = (try flag(), try flag())
        settings.gate = try optional { (reader) throws(MessageError) in GateRole(preRoll: try reader.timeSpan()) }
        settings.sessionAsset = try text()
        return settings
    }
}
