import Crypto
import Foundation
import Recording

/// Says whether a password is an account's, seldom enough that it cannot be found by trying.
///
/// At an address an account has 10 attempts, and one more every 5 s: each is taken before anything is looked at, and
/// given back if the password is right. Whoever is out of them is refused with the right one too, which else could be
/// told from a wrong one; another account, or the same one from elsewhere, is not. A right password is remembered as a
/// digest under a key of this process's, because players send it with every request.
actor PasswordCheck {
    /// A password that somebody says an account has.
    private struct Guess: Hashable {
        var account: String
        var digest: Data
    }

    /// How many may wait for their hash.
    private static let line = 16

    private let threads: BlockingThreads
    private let attempts = RateLimit(burst: 10, perSecond: 0.2)
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
        let place = "\(address) \(name)"
        if let wait = attempts.take(place, at: now) { throw Refusal.tooMany(wait) }
        let digest = HMAC<SHA256>.authenticationCode(for: Data(password.utf8), using: secret)
        let guess = Guess(account: name, digest: Data(digest))
        let isRight: Bool
        if known[name] == guess.digest {
            isRight = true
        } else if let asked = pending[guess] {
            // A player's many first requests are one attempt.
            attempts.giveBack(place)
            return try await asked.value
        } else {
            guard pending.count < Self.line else {
                attempts.giveBack(place)
                throw Refusal.busy("too many passwords are being looked at")
            }
            isRight = try await hash(guess, password, account)
        }
        if isRight { attempts.giveBack(place) }
        return isRight
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
