import Dispatch
import Synchronization

/// What `body` makes of each item, in their order, by several threads at a time: for what mostly waits for a store.
///
/// Comes back when all are done, or throws the first error once what is under way has ended.
func inParallel<Item: Sendable, Result: Sendable>(
    _ items: [Item], _ body: @Sendable (Item) throws -> Result
) throws -> [Result] {
    guard items.count > 1 else { return try items.map(body) }
    let work = Distributed<Result>(count: items.count)
    // As many as a client has connections.
    DispatchQueue.concurrentPerform(iterations: min(8, items.count)) { _ in
        while let index = work.next() {
            do { work.put(try body(items[index]), at: index) } catch { work.fail(error) }
        }
    }
    return try work.results()
}

/// Items by index, each given to one thread, until the first error.
private final class Distributed<Result: Sendable>: Sendable {
    private struct State {
        var next = 0
        var done: [Result?]
        var error: (any Error)?
    }

    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(done: Array(repeating: nil, count: count))) }

    func next() -> Int? {
        state.withLock { state in
            guard state.error == nil, state.next < state.done.count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    func put(_ result: Result, at index: Int) { state.withLock { $0.done[index] = result } }

    func fail(_ error: any Error) { state.withLock { $0.error = $0.error ?? error } }

    func results() throws -> [Result] {
        try state.withLock { state in
            if let error = state.error { throw error }
            return state.done.compactMap(\.self)
        }
    }
}
