import Foundation
import Synchronization
import Varlink

/// A server on a socket of its own, with a method for every way a handler can behave.
struct EchoService: Sendable {
    static let description = """
        interface test.cvr.Echo
        # Every name is used: [a-z]
        type Identity (pid: int, uid: int, gid: int)
        method Echo(text: string) -> (text: string)
        method Count(to: int) -> (number: int)
        method Peer() -> (peer: Identity)
        method Wait() -> ()
        method Flood() -> (text: string)
        method Fail() -> ()
        method Silent() -> ()
        method Missing() -> ()
        error Sour (message: string, nextStep: string)

        """

    struct Text: Codable, Equatable { var text: String }
    struct Limit: Codable { var to: Int }
    struct Number: Codable, Equatable { var number: Int }
    struct Identity: Codable { var pid: Int32, uid: UInt32, gid: UInt32 }
    struct Owner: Codable { var peer: Identity }
    struct Sour: Codable { var message: String, nextStep: String }

    let path: String
    /// What happened inside handlers, in order.
    let events: AsyncStream<String>
    private let note: AsyncStream<String>.Continuation

    /// Replies that the kernel took from `Flood` and `Count`.
    final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func add() { count.withLock { $0 += 1 } }
    }
    let counter = Counter()

    /// Runs a server for as long as `body`.
    static func run<R: Sendable>(
        limits: VarlinkLimits = VarlinkLimits(), mode: UInt32 = 0o660, group: UInt32? = nil, path: String? = nil,
        _ body: @escaping @Sendable (EchoService) async throws -> R
    ) async throws -> R {
        let folder = try temporaryFolder()
        defer { remove(folder) }
        let service = EchoService(path: path ?? "\(folder)/s")
        let server = VarlinkServer(
            socketPath: service.path, mode: mode, group: group,
            info: VarlinkServiceInfo(vendor: "V", product: "P", version: "1", url: "https://example.org"),
            interfaces: ["test.cvr.Echo": description], limits: limits, handler: service.answer)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            let (listening, ready) = AsyncStream.makeStream(of: Void.self)
            tasks.addTask {
                defer { ready.finish() }
                try await server.run { ready.yield() }
            }
            var isListening = false
            for await _ in listening {
                isListening = true
                break
            }
            if !isListening { try await tasks.waitForAll() }
            let result = try await body(service)
            tasks.cancelAll()
            try await tasks.waitForAll()
            return result
        }
    }

    private init(path: String) {
        self.path = path
        (events, note) = AsyncStream.makeStream(of: String.self)
    }

    @Sendable private func answer(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        switch call.name {
        case "Echo":
            let text = try call.decode(Text.self)
            note.yield("echo \(text.text.prefix(16))")
            try await replies.send(text)
        case "Count":
            let limit = try call.decode(Limit.self).to
            for number in 1...limit {
                try await replies.send(Number(number: number), continues: call.wantsMore && number < limit)
                counter.add()
                if !call.wantsMore { return }
            }
        case "Peer":
            try await replies.send(
                Owner(peer: Identity(pid: call.peer.pid, uid: call.peer.uid, gid: call.peer.gid)))
        case "Wait":
            note.yield("waiting")
            let (never, _) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            note.yield("cancelled")
            throw CancellationError()
        case "Flood":
            let text = Text(text: String(repeating: "x", count: 100_000))
            do {
                while true {
                    try await replies.send(text, continues: true)
                    counter.add()
                }
            } catch {
                note.yield("stopped")
                throw error
            }
        case "Fail": throw VarlinkFailure(name: "test.cvr.Echo.Sour", parameters: Sour(message: "m", nextStep: "n"))
        case "Silent": return
        default: throw VarlinkFailure.methodNotImplemented(call.method)
        }
    }
}

func temporaryFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory.path + "/cvr-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
}

func remove(_ folder: String) {
    // A folder that stays behind in /tmp fails no test.
    try? FileManager.default.removeItem(atPath: folder)
}

/// Runs blocking code on a thread of its own: the concurrency pool has as many threads as the machine has cores.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}
