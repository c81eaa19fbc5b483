/// Why a server cannot go on, in words that end with the next step.
package struct ServingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// After sysexits.h, as cvrd reads it.
    package enum Code: Int32, Sendable {
        /// The address is taken, is none of this host's, or needs a privilege.
        case cannotListen = 69
        case file = 74
        /// The configuration, or what it works on, was replaced: the next process sees it.
        case outdated = 75
        case configuration = 78
    }

    package var code: Code
    package var message: String
    package var nextStep: String

    package init(_ code: Code, _ message: String, nextStep: String) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
    }

    package var description: String { "\(message); \(nextStep)" }
}
