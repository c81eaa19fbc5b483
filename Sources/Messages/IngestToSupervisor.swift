package import Recording

/// What a camera's worker tells cvrd.
///
/// Everything here is also on disk: losing a message loses no fact.
package enum IngestToSupervisor: Hashable, Sendable {
    /// The first message on a connection.
    case hello(WorkerIdentity)
    /// At least once a second, from the recording loop itself: its counters are the sign of life.
    case progress(WorkerProgress)
    /// `window` is the id of the window that it is recorded for; empty without one.
    case sessionStarted(session: Int64, at: WallTime, window: String = "")
    case segmentClosed(SegmentID, start: WallTime, duration: TimeSpan, bytes: Int64)
    case gapOpened(from: WallTime, reason: GapReason, detail: String)
    case gapClosed(from: WallTime, to: WallTime, reason: GapReason)
    /// Something an operator wants to see in `cvrctl events`: lowerCamelCase type, one line of detail.
    ///
    /// But for `mediaSessionEstablished`, whose detail is a session description: said again, with its time, to each cvrd
    /// that says hello while that lasts. That of `windowClosed` is the window's id and its last session's number, 0 without
    /// one, and where it had several its first; it is said again to whoever tells of the window again.
    case event(type: String, at: WallTime, detail: String)
    /// A successor's word that it can take over; without the camera it will connect once its predecessor is gone.
    case readyToSucceed(hasCamera: Bool, detail: String)
}

/// Who is behind a worker's socket.
package struct WorkerIdentity: Hashable, Sendable {
    package var camera: CameraName
    package var slot: Slot
    package var pid: Int64
    /// Version and build id of the binary, for rolling upgrades.
    package var build: String
    /// What confines it, and what this kernel lacks for it, in words for `status` and `doctor`; empty: it does not say.
    package var sandbox: String

    package init(camera: CameraName, slot: Slot, pid: Int64, build: String, sandbox: String = "") {
        self.camera = camera
        self.slot = slot
        self.pid = pid
        self.build = build
        self.sandbox = sandbox
    }
}

/// Counters and facts of a worker, as of now.
///
/// Counters never fall while the process lives, but for a successor's: they begin anew when it takes over.
package struct WorkerProgress: Hashable, Sendable {
    /// `starting`, `recording` or `reconnecting`; the other states are cvrd's to give.
    package var state: CameraState
    package var session: Int64
    /// RFC 6381 codecs of the current session, comma-separated; empty before the first.
    package var codec: String
    package var width: Int64
    package var height: Int64
    package var framesPerSecond: Double
    package var bitsPerSecond: Double
    package var framesReceived: Int64
    package var bytesReceived: Int64
    package var fragmentsWritten: Int64
    /// Completed fdatasync calls.
    package var syncs: Int64
    /// Times the recording loop went round: moves while the camera is away.
    package var loops: Int64
    /// Time since the last frame arrived; nil before the first.
    package var lastFrameAge: TimeSpan?
    /// Timestamp repairs and frames dropped by a bound, since the process started.
    package var anomalies: Int64
    package var lastFault: Fault?
    /// When `lastFault` was last noted.
    package var lastFaultAt: WallTime?
    /// Between the last two keyframes; nil before the second one of a session.
    package var keyframeInterval: TimeSpan?
    /// Calls of fsync(2) and fdatasync(2) since the process started, for media, names and the journal; 0 from a worker
    /// that does not tell.
    package var fsyncs: Int64 = 0
    /// What they took together.
    package var fsyncTime = TimeSpan.zero
    /// What all but a hundredth of those of the last minutes took at most; nil without any.
    package var fsyncP99: TimeSpan?
    /// Frames come and nobody wants them recorded: nothing is written but the pre-roll.
    package var isGateClosed = false
    /// The window that `session` was begun for, as long as that is open; empty without one, and before this process's
    /// first.
    package var window = ""

    package init(
        state: CameraState, session: Int64 = 0, codec: String = "", width: Int64 = 0, height: Int64 = 0,
        framesPerSecond: Double = 0, bitsPerSecond: Double = 0, framesReceived: Int64 = 0, bytesReceived: Int64 = 0,
        fragmentsWritten: Int64 = 0, syncs: Int64 = 0, loops: Int64 = 0, lastFrameAge: TimeSpan? = nil,
        anomalies: Int64 = 0, lastFault: Fault? = nil, lastFaultAt: WallTime? = nil,
        keyframeInterval: TimeSpan? = nil
    ) {
        self.state = state
        self.session = session
        self.codec = codec
        self.width = width
        self.height = height
        self.framesPerSecond = framesPerSecond
        self.bitsPerSecond = bitsPerSecond
        self.framesReceived = framesReceived
        self.bytesReceived = bytesReceived
        self.fragmentsWritten = fragmentsWritten
        self.syncs = syncs
        self.loops = loops
        self.lastFrameAge = lastFrameAge
        self.anomalies = anomalies
        self.lastFault = lastFault
        self.lastFaultAt = lastFaultAt
        self.keyframeInterval = keyframeInterval
    }
}

extension IngestToSupervisor {
    package var frame: [UInt8] { frame(in: Frame.version) }

    /// As a peer of an older version reads it.
    package func frame(in version: UInt8) -> [UInt8] {
        switch self {
        case .hello(let identity):
            Frame.encode(kind: 1, version: version) { $0.put(identity, version) }
        case .progress(let progress):
            Frame.encode(kind: 2, version: version) { $0.put(progress, version) }
        case .sessionStarted(let session, let time, let window):
            Frame.encode(kind: 3, version: version) {
                $0.put(session)
                $0.put(time)
                if version >= 5 { $0.put(window) }
            }
        case .segmentClosed(let id, let start, let duration, let bytes):
            Frame.encode(kind: 4, version: version) {
                $0.put(id)
                $0.put(start)
                $0.put(duration)
                $0.put(bytes)
            }
        case .gapOpened(let from, let reason, let detail):
            Frame.encode(kind: 5, version: version) { $0.put(from, reason.rawValue, detail) }
        case .gapClosed(let from, let to, let reason):
            Frame.encode(kind: 6, version: version) {
                $0.put(from)
                $0.put(to)
                $0.put(reason.rawValue)
            }
        case .event(let type, let time, let detail):
            Frame.encode(kind: 7, version: version) {
                $0.put(type)
                $0.put(time)
                $0.put(detail)
            }
        case .readyToSucceed(let hasCamera, let detail):
            Frame.encode(kind: 8, version: version) {
                $0.put(hasCamera)
                $0.put(detail)
            }
        }
    }

    package init(content: [UInt8]) throws(MessageError) {
        var (version, kind, body) = try Frame.open(content)
        switch kind {
        case 1: self = .hello(try body.workerIdentity(version))
        case 2: self = .progress(try body.workerProgress(version))
        case 3:
            self = .sessionStarted(
                session: try body.int64(), at: try body.wallTime(), window: version >= 5 ? try body.text() : "")
        case 4:
            self = .segmentClosed(
                SegmentID(session: try body.int64(), counter: try body.int64()), start: try body.wallTime(),
                duration: try body.timeSpan(), bytes: try body.int64())
        case 5:
            self = .gapOpened(
                from: try body.wallTime(), reason: GapReason(rawValue: try body.text()) ?? .unknown,
                detail: try body.text())
        case 6:
            self = .gapClosed(
                from: try body.wallTime(), to: try body.wallTime(),
                reason: GapReason(rawValue: try body.text()) ?? .unknown)
        case 7: self = .event(type: try body.eventType(), at: try body.wallTime(), detail: try body.text())
        case 8: self = .readyToSucceed(hasCamera: try body.flag(), detail: try body.text())
        default: throw MessageError("an unknown message \(kind) from a worker; this build is version \(Frame.version)")
        }
        try body.finish()
    }
}

extension ByteWriter {
    fileprivate mutating func put(_ id: SegmentID) {
        put(id.session)
        put(id.counter)
    }

    fileprivate mutating func put(_ time: WallTime, _ first: String, _ second: String) {
        put(time)
        put(first)
        put(second)
    }

    fileprivate mutating func put(_ identity: WorkerIdentity, _ version: UInt8) {
        put(identity.camera.text)
        put(identity.slot.rawValue)
        put(identity.pid)
        put(identity.build)
        if version >= 2 { put(identity.sandbox) }
    }

    fileprivate mutating func put(_ progress: WorkerProgress, _ version: UInt8) {
        put(progress.state.rawValue)
        put(progress.session)
        put(progress.codec)
        put(progress.width)
        put(progress.height)
        put(progress.framesPerSecond)
        put(progress.bitsPerSecond)
        put(progress.framesReceived)
        put(progress.bytesReceived)
        put(progress.fragmentsWritten)
        put(progress.syncs)
        put(progress.loops)
        put(progress.lastFrameAge) { $0.put($1) }
        put(progress.anomalies)
        put(progress.lastFault) { $0.put($1) }
        put(progress.lastFaultAt) { $0.put($1) }
        if version >= 2 { put(progress.keyframeInterval) { $0.put($1) } }
        guard version >= 3 else { return }
        put(progress.fsyncs)
        put(progress.fsyncTime)
        put(progress.fsyncP99) { $0.put($1) }
        guard version >= 4 else { return }
        put(progress.isGateClosed)
        if version >= 5 { put(progress.window) }
    }
}

extension ByteReader {
    fileprivate mutating func workerIdentity(_ version: UInt8) throws(MessageError) -> WorkerIdentity {
        let (name, slotText) = (try text(), try text())
        guard let camera = CameraName(name), let slot = Slot(rawValue: slotText) else {
            throw MessageError("a worker that calls itself '\(name)', slot '\(slotText)'")
        }
        return WorkerIdentity(
            camera: camera, slot: slot, pid: try int64(), build: try text(), sandbox: version >= 2 ? try text() : "")
    }

    /// It is a word in `cvrctl events`, and nothing that a worker makes up as it likes.
    fileprivate mutating func eventType() throws(MessageError) -> String {
        let type = try text()
        guard (1...64).contains(type.utf8.count), type.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else { throw MessageError("an event of no proper type") }
        return type
    }

    fileprivate mutating func workerProgress(_ version: UInt8) throws(MessageError) -> WorkerProgress {
        let stateText = try text()
        guard let state = CameraState(rawValue: stateText) else {
            throw MessageError("an unknown camera state '\(stateText)'")
        }
        var progress = WorkerProgress(
            state: state, session: try int64(), codec: try text(), width: try int64(), height: try int64(),
            framesPerSecond: try rate(), bitsPerSecond: try rate(), framesReceived: try int64(),
            bytesReceived: try int64(), fragmentsWritten: try int64(), syncs: try int64(), loops: try int64(),
            lastFrameAge: try optional { (reader) throws(MessageError) in try reader.timeSpan() },
            anomalies: try int64(),
            lastFault: try optional { (reader) throws(MessageError) in try reader.fault() },
            lastFaultAt: try optional { (reader) throws(MessageError) in try reader.wallTime() })
        guard version >= 2 else { return progress }
        progress.keyframeInterval = try optional { (reader) throws(MessageError) in try reader.timeSpan() }
        guard version >= 3 else { return progress }
        progress.fsyncs = try int64()
        progress.fsyncTime = try timeSpan()
        progress.fsyncP99 = try optional { (reader) throws(MessageError) in try reader.timeSpan() }
        if version >= 4 { progress.isGateClosed = try flag() }
        if version >= 5 { progress.window = try text() }
        return progress
    }
}
