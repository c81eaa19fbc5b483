import Synchronization

/// The machine that all tests share: recorders are timed, so only so many run at once.
package actor Machine {
    package static let shared = Machine(places: 4)

    /// How much of the machine a test needs, and for how long.
    package enum Share: Int, Sendable {
        case one
        /// One place, for minutes.
        case oneForLong
        case half

        fileprivate var places: Int { self == .half ? 2 : 1 }
    }

    private var free: Int
    private var waiting: [(share: Share, turn: CheckedContinuation<Void, Never>)] = []

    init(places: Int) { free = places }

    /// Runs `body` when there is room: what takes longest first, so that nothing is left to wait for at the end, then who
    /// asked first.
    package func place<Result: Sendable>(
        _ share: Share = .one, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
        await enter(share)
        do {
            let result = try await body()
            await leave(share)
            return result
        } catch {
            await leave(share)
            throw error
        }
    }

    private func enter(_ share: Share) async {
        if waiting.isEmpty, free >= share.places {
            free -= share.places
        } else {
            await withCheckedContinuation { turn in
                let next = waiting.firstIndex { $0.share.rawValue < share.rawValue } ?? waiting.endIndex
                waiting.insert((share, turn), at: next)
            }
        }
    }

    private func leave(_ share: Share) {
        free += share.places
        while let next = waiting.first, next.share.places <= free {
            free -= next.share.places
            waiting.removeFirst().turn.resume()
        }
    }
}
