package import Recording

/// What was recorded before a moment, and nobody can tell now: only the store knows it, and does not answer.
package struct UnknownPast: Sendable {
    /// From here on everything is known; in whole milliseconds.
    package let before: WallTime
    private let reason: ArchiveError

    init(before: WallTime, reason: ArchiveError) {
        self.before = before.wholeMilliseconds
        self.reason = reason
    }

    /// For a question that cannot be answered without it.
    package var error: ArchiveError {
        ArchiveError(
            code: .unavailable,
            message: "what was recorded before \(before.rfc3339) only the store knows: \(reason.message)",
            nextStep: "\(reason.nextStep), or ask for what is later")
    }
}

extension UnknownPast? {
    /// For a range in which nothing is known: throws when that need not be all that there is.
    package func check(from: WallTime?) throws(ArchiveError) { try refuse(from: from ?? .earliest) }

    /// Throws where any of a range that begins at `from` is in it.
    func refuse(from: WallTime) throws(ArchiveError) {
        if let self, from < self.before { throw self.error }
    }

    /// The part of a range of which something is known; throws when there is none.
    func knownStart(from: WallTime?, to: WallTime?) throws(ArchiveError) -> WallTime? {
        guard let self else { return from }
        guard to.map({ self.before < $0 }) ?? true else { throw self.error }
        return max(from ?? .earliest, self.before)
    }
}
