/// Why there is no picture and no sound: an exit code for cvr-playback, and a line for its log.
package struct PreviewFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// After sysexits.h where it has one; cvr-playback's `PreviewError` tells what each means to a viewer.
    package enum Code: Int32, Sendable {
        /// The job's first line is none, or arguments were given.
        case usage = 64
        /// The bytes are no media, or damaged.
        case damaged = 65
        /// Media, but not of the kind that the job is for.
        case unsupported = 69
        /// A library failed, most likely for want of memory.
        case engine = 70
        /// The job is longer than one may be.
        case tooLarge = 71
        /// A standard descriptor failed.
        case inputOutput = 74
        /// No sandbox: hostile bytes are not looked at without one.
        case exposed = 77
    }

    package var code: Code
    package var description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
