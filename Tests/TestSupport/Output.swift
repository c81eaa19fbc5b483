package import Foundation
import Synchronization

/// What a child process wrote, line by line, for tests that wait for a line.
package final class Output: Sendable {
    private struct State {
        var bytes = Data()
        var lines: [String] = []
        var unfinished = Data()
        var isFinished = false
        var waiters: [UUID: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Everything so far.
    package var bytes: Data { state.withLock { $0.bytes } }
    package var text: String { String(decoding: bytes, as: UTF8.self) }
    /// The whole lines so far, without their ends.
    package var lines: [String] { state.withLock { $0.lines } }

    func append(_ chunk: Data) {
        let waiters = state.withLock { state in
            state.bytes.append(chunk)
            var text = (state.unfinished + chunk).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            state.unfinished = Data(text.removeLast())
            state.lines += text.map { String(decoding: $0, as: UTF8.self) }
            return Array(state.waiters.values)
        }
        for wake in waiters { wake() }
    }

    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            return Array(state.waiters.values)
        }
        for wake in waiters { wake() }
    }

    /// The first line from `index` on of which `match` makes something; waits for it.
    package func first<Found: Sendable>(
        from index: Int = 0, _ what: String, within limit: Duration = .seconds(30),
        where match: @escaping @Sendable (String) -> Found?
    ) async throws -> (index: Int, found: Found) {
        let cursor = Mutex(index)
        return try await signalled(what, within: limit, tail: { self.lines.suffix(20).joined(separator: "\n") }) {
            let (lines, isFinished) = self.state.withLock { ($0.lines, $0.isFinished) }
            let start = cursor.withLock { $0 }
            for position in lines.indices.dropFirst(start) {
                if let found = match(lines[position]) { return .found((position, found)) }
            }
            cursor.withLock { $0 = max(start, lines.count) }
            return isFinished ? .never : .later
        }
    }

    /// Waits until everything was written and the writers are gone.
    package func end(within limit: Duration = .seconds(30)) async throws {
        try await signalled("the end of the output", within: limit, tail: { "" }) {
            self.state.withLock { $0.isFinished } ? .found(()) : .later
        }
    }

    private enum Look<Found: Sendable>: Sendable {
        case found(Found), later, never
    }

    /// Looks now and whenever something was written, until the limit.
    private func signalled<Found: Sendable>(
        _ what: String, within limit: Duration, tail: @Sendable () -> String,
        look: @escaping @Sendable () -> Look<Found>
    ) async throws -> Found {
        let deadline = ContinuousClock.now + limit
        while true {
            switch look() {
            case .found(let found): return found
            case .never: throw Missed("\(what): the output ended without it; its last lines:\n\(tail())")
            case .later: break
            }
            let remaining = deadline - ContinuousClock.now
            guard remaining > .zero else { throw Missed("\(what): not within \(limit); last lines:\n\(tail())") }
            await wake(within: remaining) { if case .later = look() { false } else { true } }
        }
    }

    /// Returns when something was written after this call began, when `isReady` already holds, or when time is up.
    private func wake(within limit: Duration, isReady: @escaping @Sendable () -> Bool) async {
        let id = UUID()
        await firstOf(within: limit) { resume in
            state.withLock { $0.waiters[id] = resume }
            if isReady() { resume() }
        }
        state.withLock { $0.waiters[id] = nil }
    }
}

/// An expectation on time or on another process that was not met.
package struct Missed: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Hands out a function to call once something happened; returns at its first call or when the limit is over.
package func firstOf(within limit: Duration, _ start: (@escaping @Sendable () -> Void) -> Void) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let pending = Mutex<CheckedContinuation<Void, Never>?>(continuation)
        let once = Once(pending)
        DispatchQueue.global().asyncAfter(deadline: .now() + limit.seconds) { once.resume() }
        start { once.resume() }
    }
}

private final class Once: Sendable {
    private let continuation: Mutex<CheckedContinuation<Void, Never>?>

    init(_ continuation: consuming sending Mutex<CheckedContinuation<Void, Never>?>) {
        self.continuation = continuation
    }

    func resume() {
        let taken = continuation.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        taken?.resume()
    }
}

extension Duration {
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
