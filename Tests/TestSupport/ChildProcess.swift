package import Foundation
import Glibc
import Synchronization

/// How a process ended.
package enum Ending: Hashable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
}

/// A child in a process group of its own, whose output and end can be awaited.
package final class ChildProcess: Sendable {
    package let pid: pid_t
    package let output: Output
    package let errors: Output
    private let input: Mutex<Int32>
    private let ending = Mutex<Ending?>(nil)
    private let ended = Output()

    /// Starts a program with our environment and `environment` on top.
    ///
    /// With `log` both outputs are appended to that file, and `output` and `errors` stay empty.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], log: String? = nil
    ) throws {
        var pipes = try Pipes(log: log)
        defer { pipes.closeChildEnds() }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        pid = try spawn(
            program, [program] + arguments, variables.map { "\($0.key)=\($0.value)" },
            standard: [pipes.input.child, pipes.output.child, pipes.errors.child])
        (output, errors) = (Output(), Output())
        input = Mutex(pipes.input.parent)
        collect(pipes.output.parent, into: output)
        collect(pipes.errors.parent, into: errors)
        watch()
    }

    /// Writes a line to its standard input.
    package func send(_ line: String) throws {
        let bytes = Array((line + "\n").utf8)
        let written = input.withLock { write($0, bytes, bytes.count) }
        guard written == bytes.count else { throw Missed("'\(line)' cannot be written to process \(pid)") }
    }

    package func closeInput() {
        input.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// Sends a signal to the process alone; nothing happens when it is gone.
    package func signal(_ number: Int32) {
        // Under the lock that reaping takes: the number cannot have gone to another process.
        ending.withLock { if $0 == nil { kill(pid, number) } }
    }

    package var isRunning: Bool { ending.withLock { $0 == nil } }

    /// Waits for its end; the limit missed is an error.
    @discardableResult
    package func end(within limit: Duration = .seconds(30)) async throws -> Ending {
        do {
            try await ended.end(within: limit)
        } catch {
            throw Missed("process \(pid) did not end within \(limit)")
        }
        return ending.withLock { $0 } ?? .exited(-1)
    }

    /// SIGTERM, and SIGKILL when that did not help.
    package func stop(within limit: Duration = .seconds(20)) async {
        signal(SIGTERM)
        do {
            try await end(within: limit)
        } catch {
            signal(SIGKILL)
            // It was killed: nothing can keep it for long.
            _ = try? await end(within: .seconds(5))
        }
    }

    private func watch() {
        Thread.detachNewThread { [self] in
            var info = siginfo_t()
            while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            ending.withLock { ending in
                var status: Int32 = 0
                waitpid(pid, &status, 0)
                let signal = status & 0x7F
                ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
            }
            closeInput()
            ended.finish()
        }
    }
}

/// A program that ran to its end.
package struct Finished: Sendable {
    package let ending: Ending
    package let output: Data
    package let errors: String

    package var text: String { String(decoding: output, as: UTF8.self) }
}

/// Runs a program to its end; a program that does not end is killed.
package func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = "",
    within limit: Duration = .seconds(60)
) async throws -> Finished {
    let child = try ChildProcess(program, arguments, environment: environment)
    if !input.isEmpty { try child.send(input) }
    child.closeInput()
    do {
        let ending = try await child.end(within: limit)
        try await child.output.end(within: .seconds(5))
        try await child.errors.end(within: .seconds(5))
        return Finished(ending: ending, output: child.output.bytes, errors: child.errors.text)
    } catch {
        child.signal(SIGKILL)
        throw Missed("\(program) \(arguments.joined(separator: " ")): \(error)")
    }
}

/// The three standard descriptors of a child; -1 where there is no such end.
private struct Pipes {
    var input: (child: Int32, parent: Int32)
    var output: (child: Int32, parent: Int32)
    var errors: (child: Int32, parent: Int32)

    init(log: String?) throws {
        let downwards = try Self.pair()
        input = (downwards.read, downwards.write)
        if let log {
            let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw Missed("open \(log): errno \(errno)") }
            (output, errors) = ((file, -1), (file, -1))
        } else {
            let (first, second) = (try Self.pair(), try Self.pair())
            (output, errors) = ((first.write, first.read), (second.write, second.read))
        }
    }

    mutating func closeChildEnds() {
        for descriptor in Set([input.child, output.child, errors.child]) { close(descriptor) }
    }

    /// Sockets rather than pipes: these can be born close-on-exec without an extension of the C library's.
    private static func pair() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Missed("socketpair: errno \(errno)") }
        return (ends[0], ends[1])
    }
}

private func collect(_ descriptor: Int32, into output: Output) {
    guard descriptor >= 0 else {
        output.finish()
        return
    }
    Thread.detachNewThread {
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count > 0 {
                output.append(Data(chunk.prefix(count)))
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        close(descriptor)
        output.finish()
    }
}

/// posix_spawn(3) with the signal mask and defaults reset, in a new process group.
private func spawn(
    _ program: String, _ arguments: [String], _ environment: [String], standard: [Int32]
) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (target, source) in standard.enumerated() {
        posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
        &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    let words = arguments.map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0) } + [nil]
    defer { (words + variables).forEach { free($0) } }
    var pid: pid_t = 0
    let result = posix_spawn(&pid, program, &actions, &attributes, words, variables)
    guard result == 0 else { throw Missed("\(program) cannot be started: \(String(cString: strerror(result)))") }
    return pid
}
