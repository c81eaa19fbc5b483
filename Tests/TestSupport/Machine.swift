import Synchronization

/// The machine that all tests share: recorders are timed, so only so many run at once.
package actor Machine {
    package static let shared = Machine(places: 4)

    /// How much of the machine a test needs.
    package enum Share: Sendable {
        case one, most
    }

    private var free: Int
    private var waiting: [(places: Int, turn: CheckedContinuation<Void, Never>)] = []

    init(places: Int) { free = places }

    /// Runs `body` when there is room: who needs most of the machine first, for it takes longest, then who asked first.
    package func place<Result: Sendable>(
        _ share: Share = .one, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
        let wanted = share == .one ? 1 : 2
        await enter(wanted)
        do {
            let result = try await body()
            await leave(wanted)
            return result
        } catch {
            await leave(wanted)
            throw error
        }
    }

    private func enter(_ wanted: Int) async {
        if waiting.isEmpty, free >= wanted {
            free -= wanted
        } else {
            await withCheckedContinuation { turn in
                let next = waiting.firstIndex { $0.places < wanted } ?? waiting.endIndex
                waiting.insert((wanted, turn), at: next)
            }
        }
    }

    private func leave(_ held: Int) {
        free += held
        while let next = waiting.first, next.places <= free {
            free -= next.places
            waiting.removeFirst().turn.resume()
        }
    }
}
