import Crypto
import Foundation
import Recording

/// Says whether a password is an account's, seldom enough that it cannot be found by trying.
///
/// At an address an account has 10 attempts, and one more every 5 s, and 100, and one more a second, at all addresses
/// together that never brought its password: whoever has many addresses guesses no faster. Each is taken before anything
/// is looked at, and given back if the password is right. Whoever is out of them is refused with the right one too, which
/// else could be told from a wrong one; another account, or the same one from where it was right, is not. A right password
/// is remembered as a digest under a key of this process's, because players send it with every request.
actor PasswordCheck {
    /// A password that somebody says an account has.
    private struct Guess: Hashable {
        var account: String
        var digest: Data
    }

    /// What is taken before a password is looked at.
    private struct Attempt {
        var account: String
        /// The account at an address.
        var place: String
        var isStranger: Bool
    }

    /// How many may wait for their hash.
    private static let line = 16

    private let threads: BlockingThreads
    private let attempts = RateLimit(burst: 10, perSecond: 0.2)
    /// Of accounts, at addresses that are not among `proven`.
    private let strangers = RateLimit(burst: 100, perSecond: 1)
    /// Places where a password was right, as many as are remembered: one that is forgotten is a stranger's again.
    private var proven: Set<String> = []
    private static let mostProven = 4096
    private let secret = SymmetricKey(size: .bits256)
    /// By account.
    private var known: [String: Data] = [:]
    private var pending: [Guess: Task<Bool, any Error>] = [:]
    /// One hash at a time: each takes megabytes.
    private let hashing = Turn()

    init(threads: BlockingThreads) { self.threads = threads }

    /// Throws a `Refusal` of status 429 when there were too many wrong ones, or 503 when too many wait.
    func holds(
        _ password: String, of name: String, _ account: Access.Account, from address: String, at now: MonotonicTime
    ) async throws -> Bool {
        guard password.utf8.count <= 1024 else { return false }
        let attempt = try take(name, address, at: now)
        let digest = HMAC<SHA256>.authenticationCode(for: Data(password.utf8), using: secret)
        let guess = Guess(account: name, digest: Data(digest))
        let isRight: Bool
        if known[name] == guess.digest {
            isRight = true
        } else if let asked = pending[guess] {
            // A player's many first requests are one attempt.
            giveBack(attempt)
            return try await asked.value
        } else {
            guard pending.count < Self.line else {
                giveBack(attempt)
                throw Refusal.busy("too many passwords are being looked at")
            }
            isRight = try await hash(guess, password, account)
        }
        guard isRight else { return false }
        giveBack(attempt)
        prove(attempt)
        return true
    }

    private func take(_ name: String, _ address: String, at now: MonotonicTime) throws -> Attempt {
        let place = "\(address) \(name)"
        let attempt = Attempt(account: name, place: place, isStranger: !proven.contains(place))
        if let wait = attempts.take(place, at: now) { throw Refusal.tooMany(wait) }
        if attempt.isStranger, let wait = strangers.take(name, at: now) {
            attempts.giveBack(place)
            throw Refusal.tooMany(wait, "this account was asked for with too many wrong passwords")
        }
        return attempt
    }

    private func giveBack(_ attempt: Attempt) {
        attempts.giveBack(attempt.place)
        if attempt.isStranger { strangers.giveBack(attempt.account) }
    }

    private func prove(_ attempt: Attempt) {
        if attempt.isStranger, proven.count >= Self.mostProven { proven.removeFirst() }
        proven.insert(attempt.place)
    }

    private func hash(_ guess: Guess, _ password: String, _ account: Access.Account) async throws -> Bool {
        let task = Task { [hashing, threads] in
            try await hashing.take { try await threads.run { try account.password.matches(password) } }
        }
        pending[guess] = task
        defer { pending[guess] = nil }
        let isRight = try await task.value
        if isRight { known[guess.account] = guess.digest }
        return isRight
    }
}
