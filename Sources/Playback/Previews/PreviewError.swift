import CLinux
import Isolation

/// Why there is no thumbnail, or no sound that a browser plays, in words for a viewer.
package struct PreviewError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// cvr-preview is not installed, or cannot be started.
        case unavailable
        /// More wait for one already than will be served soon.
        case busy
        /// The footage is damaged, as far as the decoder can tell.
        case damaged
        /// Footage of a kind that there is no preview for.
        case unsupported
        /// It took longer, or more memory, than one may.
        case tooMuch
    }

    package let code: Code
    package let message: String
    package let nextStep: String

    package var description: String { "\(message); \(nextStep)" }
}

extension PreviewError {
    package static let busy = PreviewError(
        code: .busy, message: "too many previews are asked for at once", nextStep: "try again in a few seconds")
    package static let late = PreviewError(
        code: .tooMuch, message: "cvr-preview took too long, and gave up",
        nextStep: "play the footage itself, or try again when the box has less to do")

    init(_ error: IsolationError) {
        self.init(code: .unavailable, message: "cvr-preview cannot be started: \(error)", nextStep: error.nextStep)
    }

    /// How a cvr-preview ended that has no result: its exit codes are `PreviewFailure`'s.
    init(_ status: ExitStatus) {
        switch status {
        case .exited(65):
            self.init(
                code: .damaged, message: "the footage cannot be decoded",
                nextStep: "download it, and see whether another player can")
        case .exited(69):
            self.init(
                code: .unsupported, message: "this footage has no such track",
                nextStep: "pictures need H.264 or H.265, transcoded sound needs G.711")
        case .exited(71):
            self.init(code: .tooMuch, message: "this is too much at once", nextStep: "ask for a shorter range")
        case .exited(77):
            self.init(
                code: .unavailable, message: "cvr-preview has no sandbox here, and decodes nothing without one",
                nextStep: "use a kernel with CONFIG_SECCOMP_FILTER")
        case .exited(let code):
            self.init(
                code: .unavailable, message: "cvr-preview ended with exit code \(code)",
                nextStep: "see the journal of cvr-playback")
        // By its own alarm.
        case .signalled(SIGALRM): self = .late
        case .signalled(let number):
            self.init(
                code: .tooMuch, message: "cvr-preview was ended by signal \(number)",
                nextStep: "see the journal of cvr-playback")
        case .unknown:
            self.init(
                code: .unavailable, message: "cvr-preview is gone", nextStep: "see the journal of cvr-playback")
        }
    }
}
