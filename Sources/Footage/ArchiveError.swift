import ObjectStore

/// Footage that cannot be told of or read, and what to do about it.
package struct ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Whoever should know or have it does not answer: the same later may succeed.
        case unavailable
        /// Its bytes exist nowhere any more.
        case gone
        /// More than is held in memory at a time.
        case tooMuch
    }

    package let code: Code
    package let message: String
    package let nextStep: String

    package var description: String { "\(message); \(nextStep)" }

    static let noStore = ArchiveError(
        code: .unavailable, message: "there is no store to read from", nextStep: "set store.url")

    static func tooMuch(_ limit: Int) -> ArchiveError {
        ArchiveError(
            code: .tooMuch, message: "the range has more than \(limit) segments", nextStep: "ask for a shorter one")
    }

    static func gone(_ key: String) -> ArchiveError {
        ArchiveError(
            code: .gone, message: "\(key) is neither in the cache nor in the store any more",
            nextStep: "none: it was deleted")
    }

    init(code: Code, message: String, nextStep: String) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
    }

    init(_ error: ObjectStoreError) {
        self.init(
            code: .unavailable, message: "\(error.operation) \(error.thing): \(error.detail)", nextStep: error.nextStep)
    }
}
