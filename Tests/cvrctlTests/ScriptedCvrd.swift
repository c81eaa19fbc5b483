import Foundation
import Messages
import Recording
import Synchronization
import Varlink

/// A cvrd that knows its answers by heart, and the real cvrctl that asks it.
struct ScriptedCvrd: Sendable {
    struct Outcome: Sendable {
        var output: String
        var complaint: String
        var status: Int32
    }

    /// Method (`Status`) and parameters of each call, in order.
    final class Log: Sendable {
        private let entries = Mutex<[String]>([])
        var calls: [String] { entries.withLock { $0 } }
        func add(_ call: VarlinkCall) {
            entries.withLock { $0.append("\(call.name) \(String(decoding: call.parameters, as: UTF8.self))") }
        }
    }

    typealias Answer = @Sendable (VarlinkCall, VarlinkReplies) async throws -> Void

    let socket: String
    let log = Log()

    /// Runs a cvrd that answers so, for as long as `body`.
    static func run<R: Sendable>(
        _ answer: @escaping Answer, _ body: @escaping @Sendable (ScriptedCvrd) async throws -> R
    ) async throws -> R {
        let folder = FileManager.default.temporaryDirectory.path + "/cvr-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // A folder that stays behind in /tmp fails no test.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cvrd = ScriptedCvrd(socket: "\(folder)/admin.sock")
        let server = VarlinkServer(
            socketPath: cvrd.socket, info: VarlinkServiceInfo(vendor: "V", product: "P", version: "1", url: "u"),
            interfaces: [Admin.interface: VarlinkInterface.admin]
        ) { call, replies in
            cvrd.log.add(call)
            try await answer(call, replies)
        }
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            let (listening, ready) = AsyncStream.makeStream(of: Void.self)
            tasks.addTask {
                defer { ready.finish() }
                try await server.run { ready.yield() }
            }
            for await _ in listening { break }
            let result = try await body(cvrd)
            tasks.cancelAll()
            try await tasks.waitForAll()
            return result
        }
    }

    /// One reply, whatever is asked.
    static func run<R: Sendable>(
        answering reply: some Encodable & Sendable, _ body: @escaping @Sendable (ScriptedCvrd) async throws -> R
    ) async throws -> R {
        try await run({ _, replies in try await replies.send(reply) }, body)
    }

    /// The real binary, with this cvrd's socket.
    func cvrctl(
        _ arguments: String..., columns: Int = 120, input: String = "", environment: [String: String] = [:]
    ) async throws -> Outcome {
        let named = ["CVR_SOCKET": socket, "COLUMNS": "\(columns)"].merging(environment) { _, given in given }
        return try await Self.cvrctl(arguments, input: input, environment: named)
    }

    static var binary: String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = ProcessInfo.processInfo.environment["CVR_TEST_BIN"] ?? root.path + "/.build/release"
        return "\(folder)/cvrctl"
    }

    static func cvrctl(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) async throws -> Outcome {
        try await run([binary] + arguments, input: input, environment: environment)
    }

    /// Blocks a thread of its own: the concurrency pool has as many threads as the machine has cores.
    static func run(_ command: [String], input: String, environment: [String: String]) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let process = Process()
                        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
                        process.executableURL = URL(filePath: command[0])
                        process.arguments = Array(command.dropFirst())
                        process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given }
                        (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
                        try process.run()
                        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
                        try stdin.fileHandleForWriting.close()
                        let output = String(decoding: stdout.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                        let complaint = String(
                            decoding: stderr.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                        process.waitUntilExit()
                        return Outcome(output: output, complaint: complaint, status: process.terminationStatus)
                    })
            }
        }
    }
}

/// RFC 3339, that long ago.
func ago(_ seconds: Double) -> String {
    WallTime(microseconds: Int64((Date().timeIntervalSince1970 - seconds) * 1_000_000)).rfc3339
}
