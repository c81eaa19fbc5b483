import JSON
import MediaGraph
import Messages
import Recording
import YAMLConfiguration

/// What is done about media graphs, one after the other.
///
/// Whoever waits for an answer does so on a stream: cancelled, or without one, it goes on.
enum GraphWork: Sendable {
    case call(Admin.GraphCall, AsyncStream<MethodReply>.Continuation)
    /// An activation ended, well or not.
    case activated(String, GraphError?)
    /// Everything that an instance recorded is where it belongs.
    case drained(String)
    /// What is on disk of a camera's recordings is not what is known.
    case recorded(CameraName)
    /// An instance came into the table that could not be there when cvrd started.
    case resumed(CameraName)
    /// A camera of a file was stopped, and has something to store.
    case stopped(CameraName)
    /// An instance's state is not on disk as it is.
    case unsettled(String)
}

/// What cvrd knows of media graphs: the book of them, and what runs.
///
/// Part of the table of workers, whose actor owns it.
struct GraphTable: Sendable {
    /// An instance that is a camera in the table of workers.
    struct Active: Sendable {
        /// As it was set.
        let instance: String
        let plan: RecordingPlan
        var camera: CameraConfiguration
        var gate: SignalGate?

        /// What cameras have that say nothing themselves, it has too.
        mutating func follow(_ usual: CameraDefaults) {
            let session = camera.graph?.sessionAsset ?? ""
            var new = CameraConfiguration(plan, name: camera.name, session: session, usual: usual)
            new.enabled = camera.enabled
            camera = new
        }
    }

    var book = GraphBook()
    /// Of the secrets in it on disk.
    let key = GraphKey()
    /// When this cvrd first showed the cameras of files.
    let since = WallTime.now
    /// The state's disk was read: until then nothing may be written.
    var isLoaded = false
    var active: [CameraName: Active] = [:]
    /// It was told that they cannot be read or written.
    var isTroubled = false
    /// What could not be read, as `instances/front`: left alone on disk, with the workers, and tried again at a reload.
    var unread: Set<String> = []
    /// Instances that are not inactive and cannot be in the table for now, by camera.
    var held: Set<CameraName> = []
    /// Cameras of files that are stopped, or just to be, and whose footage is still to be stored.
    var draining: Set<CameraName> = []
    /// Of each camera, those of files too.
    var chronicles: [CameraName: Chronicle] = [:]
    /// Those that are not on disk as they are here.
    var unwritten: Set<CameraName> = []
    /// Those that are being written.
    var writing: [CameraName: Write] = [:]
    /// How far cvr-sync was when it was asked last what became of recordings.
    var asked: [CameraName: Reach] = [:]
    /// Those of which it is being asked.
    var asking = CameraTurns()
    var ends = WindowEnds()
    var timers = GateTimers()
    private var early: [CameraName: Early] = [:]
    var troubles: [CameraName: CameraTroubles] = [:]
    /// Those that wait for an activation or a deactivation, by instance in lower case.
    var waiting: [String: [AsyncStream<MethodReply>.Continuation]] = [:]

    /// What was heard of a camera of a file before media graphs were read.
    struct Early: Sendable {
        /// The first, and the last.
        var sessions: [(session: Int64, at: WallTime)] = []
        var established: (sdp: String, at: WallTime)?
    }

    /// A write under way, and who waits for it.
    struct Write: Sendable {
        let since = MonotonicTime.now
        var waiters: [AsyncStream<Void>.Continuation] = []
    }

    /// How far a cache has come.
    struct Reach: Hashable, Sendable {
        var stored: SyncInterface.StoredThrough?
        var filed: Int64?
    }

    /// Notes a session of a camera of a file, as long as it is not known what an earlier cvrd told of that.
    mutating func keep(early session: Int64, of camera: CameraName, at time: WallTime) {
        let sessions = early[camera]?.sessions.prefix(1) ?? []
        early[camera, default: Early()].sessions = sessions + [(session: session, at: time)]
    }

    /// The same of what the camera said of itself.
    mutating func keep(established sdp: String, of camera: CameraName, at time: WallTime) {
        early[camera, default: Early()].established = (sdp, time)
    }

    mutating func takeEarly() -> [CameraName: Early] {
        defer { early = [:] }
        return early
    }

    /// Whose name it is, for an error.
    func owner(of name: CameraName) -> String? {
        active[name].map { "the media graph's instance \($0.instance)" }
    }

    /// Cameras that are not in the table and whose workers record on: nobody knows whether these are wanted.
    var leftAlone: Set<CameraName> {
        let prefix = "instances/"
        let unreadCameras = unread.filter { $0.hasPrefix(prefix) }
            .compactMap { CameraName(String($0.dropFirst(prefix.count))) }
        return held.filter { unread.contains("topologies/\(topologyName(of: $0))") }.union(unreadCameras)
    }

    private func topologyName(of held: CameraName) -> String {
        book.instance(held.text)?.topologyName.lowercased() ?? ""
    }

    /// What `status` says of the instance that a camera is.
    func state(of name: CameraName) -> Admin.GraphState? {
        // An inactive instance may have the name of a camera of a file.
        let camera = active[name] == nil ? book.camera(name.text) : nil
        guard let instance = camera ?? book.instance(name.text) else { return nil }
        let isOpen = chronicles[name]?.openWindows.isEmpty == false
        return Admin.GraphState(
            instance: instance.name, topology: book.topology(instance.topologyName)?.name ?? instance.topologyName,
            state: instance.state.rawValue,
            gate: active[name]?.plan.gate.map { _ in isOpen ? "open" : "closed" })
    }

    /// Takes out who waits for an instance.
    mutating func waiters(of instance: String) -> [AsyncStream<MethodReply>.Continuation] {
        waiting.removeValue(forKey: instance.lowercased()) ?? []
    }

    mutating func takeAllWaiters() -> [AsyncStream<MethodReply>.Continuation] {
        defer { waiting = [:] }
        return waiting.values.flatMap(\.self)
    }
}

extension CameraName {
    /// The camera of an instance.
    init?(instance: String) { self.init(instance.lowercased()) }
}

/// The sinks and the source of a camera, as its events name them.
struct GraphNodes: Hashable, Sendable {
    var instance: String
    var source: String
    /// Empty: there is none.
    var assetSink = ""
    var fileSink = ""

    init(_ plan: RecordingPlan) {
        instance = plan.instance
        source = plan.source.nodeName
        assetSink = plan.asset?.nodeName ?? ""
        fileSink = plan.file?.nodeName ?? ""
    }

    /// Of a camera of a file, which is an instance of `cvr-asset`.
    init(_ camera: CameraName) {
        instance = camera.text
        source = "rtspSource"
        assetSink = "assetSink"
    }

    func origin(of output: Chronicle.Output) -> MediaGraphEvent.Origin {
        switch output {
        case .asset: .sink(assetSink, of: instance)
        case .file: .sink(fileSink, of: instance)
        }
    }
}

extension MediaGraphEvent {
    init(_ happening: Chronicle.Happening, of nodes: GraphNodes) {
        switch happening {
        case .started(let output, _): self = .recordingStarted(nodes.origin(of: output), output.event)
        case .available(let output, _): self = .recordingAvailable(nodes.origin(of: output), output.event)
        case .stopped(let output, _): self = .recordingStopped(nodes.origin(of: output), output.event)
        case .dropped(let output, _): self = .dataDropped(nodes.origin(of: output), dataType: "events")
        }
    }

    init(_ trouble: CameraTroubles.Kind, of nodes: GraphNodes, target: String, at time: WallTime) {
        let origin = Origin.source(nodes.source, of: nodes.instance)
        switch trouble {
        case .protocolError(let code): self = .protocolError(origin, code: code, target: target)
        case .authentication(let code): self = .authenticationError(origin, code: code)
        case .authorization(let code): self = .authorizationError(origin, code: code)
        case .network(let code): self = .networkError(origin, code: code)
        case .mediaFormat(let code): self = .mediaFormatError(origin, code: code, at: time)
        }
    }
}

extension Chronicle.Output {
    var event: MediaGraphEvent.RecordingOutput {
        switch self {
        case .asset(let name): .asset(name)
        case .file(let path): .file(path)
        }
    }

    var words: String {
        switch self {
        case .asset(let name): "asset \(name)"
        case .file(let path): path
        }
    }
}

extension Chronicle.Happening {
    var correlation: String? {
        switch self {
        case .started(_, let correlation), .available(_, let correlation), .stopped(_, let correlation),
            .dropped(_, let correlation):
            correlation
        }
    }

    /// One line for the operator.
    var words: String {
        switch self {
        case .started(let output, _): "recording into \(output.words)"
        case .available(let output, _): "\(output.words) can be played"
        case .stopped(let output, _): "recording into \(output.words) ended"
        case .dropped(let output, _): "too many recordings wait: nothing more is told of \(output.words)"
        }
    }
}

extension CameraTroubles.Kind {
    var words: String {
        switch self {
        case .protocolError(let code): "the camera answers RTSP with \(code)"
        case .authentication: "the camera refuses the user name or password"
        case .authorization: "the camera does not let the user have the stream"
        case .network(let code): "the camera cannot be reached (\(code))"
        case .mediaFormat(let code): "the camera sends what is not recorded (\(code))"
        }
    }
}
