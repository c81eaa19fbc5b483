import Foundation
import Ingest
import Messages
import Recording
import SegmentStore
import Synchronization
import TestSupport
import Testing

/// A worker on a thread of its own, with the lock that its process would hold; ends with its owner at the latest.
final class WorkerThread {
    /// Holds its cache and its socket.
    let workspace: Workspace
    let cache: CacheDirectory
    private let socket: String
    private let course = Course()

    /// What both threads know of the run.
    private final class Course: Sendable {
        let isTerminating = Atomic(false)
        let ended = DispatchGroup()
        let end = Mutex<Result<End, any Error>?>(nil)
    }

    struct End: Sendable {
        let code: Worker.ExitCode?
        /// In its own words.
        let why: String
    }

    /// Everything in it belongs to the worker's thread once that runs, and is dropped when it ends.
    private final class Handover: @unchecked Sendable {
        private var worker: Worker?
        private var lock: SlotLock?

        init(_ worker: Worker, _ lock: SlotLock) { (self.worker, self.lock) = (worker, lock) }

        func run() throws -> End? {
            defer { (worker, lock) = (nil, nil) }
            return try worker.map { End(code: try $0.run(), why: $0.lastWords) }
        }
    }

    /// Records at once, or as a successor waits until nobody holds the journal any more.
    init(
        in workspace: Workspace, slot: Slot = .a, isSuccessor: Bool = false, clocks: Clocks, isOutdated: Bool = false,
        source: @escaping (CameraSettings) -> any PacketSource
    ) throws {
        self.workspace = workspace
        let camera = try #require(CameraName("front"))
        try FileManager.default.createDirectory(
            atPath: workspace.path + "/cache", withIntermediateDirectories: true)
        cache = try CacheDirectory(path: workspace.path + "/cache", camera: camera)
        socket = "\(workspace.path)/\(slot.rawValue).sock"
        let course = course
        let worker = Worker(
            identity: WorkerIdentity(camera: camera, slot: slot, pid: 42, build: "test"), cache: cache,
            journal: isSuccessor ? nil : try Journal(in: cache, now: clocks.wall()), bootChanged: false,
            clocks: clocks, socket: try ControlSocket(path: socket),
            isTerminating: { course.isTerminating.load(ordering: .relaxed) }, isOutdated: { isOutdated },
            makeSource: source)
        let lock = try SlotLock(in: cache, slot: slot, build: "test", protocolVersion: 2)
        let handover = Handover(worker, lock)
        course.ended.enter()
        Thread.detachNewThread {
            let end = Result { try handover.run() }.map { $0 ?? End(code: nil, why: "") }
            course.end.withLock { $0 = end }
            course.ended.leave()
        }
    }

    deinit {
        terminate()
        // Whatever the test found: no worker runs beside the next one.
        _ = course.ended.wait(timeout: .now() + 20)
    }

    /// As SIGTERM does.
    func terminate() { course.isTerminating.store(true, ordering: .relaxed) }

    /// How it ended; waits for that.
    func end() throws -> End {
        try #require(course.ended.wait(timeout: .now() + 20) == .success, "the worker did not end")
        return try #require(course.end.withLock { $0 }).get()
    }

    func connect(greets: Bool = true) throws -> WorkerClient {
        let client = try WorkerClient(socket)
        if greets { client.send(.greet) }
        return client
    }

    var contents: CacheContents { CacheContents(cache) }
}

/// cvrd's end of a worker's socket; reads block for at most 10 s.
final class WorkerClient {
    private let socket: Int32
    private var received: [UInt8] = []

    init(_ path: String) throws {
        socket = try UnixAddress(path).connect()
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    func send(_ message: SupervisorToIngest) { send(message.frame) }

    func send(_ bytes: [UInt8]) { Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// The next message; nil at the end of the connection.
    func next() throws -> IngestToSupervisor? { try nextContent().map { try IngestToSupervisor(content: $0) } }

    /// Its bytes, from the version on.
    func nextContent() throws -> [UInt8]? {
        while true {
            if let content = try Frame.next(in: &received) { return content }
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = recv(socket, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            received += chunk.prefix(count)
        }
    }

    /// Waits for a message that is what the test wants.
    func wait(_ isWanted: (IngestToSupervisor) -> Bool) throws -> IngestToSupervisor {
        while let message = try next() {
            if isWanted(message) { return message }
        }
        return try #require(nil, "the connection ended first")
    }

    func waitForProgress(_ isWanted: (WorkerProgress) -> Bool) throws {
        _ = try wait { if case .progress(let progress) = $0 { isWanted(progress) } else { false } }
    }
}
