import Glibc

/// A process that could not be started, found or signalled.
package struct IsolationError: Error, Hashable, Sendable, CustomStringConvertible {
    package let operation: String
    /// The program, or the pid.
    package let subject: String
    package let errno: Int32
    package let nextStep: String

    package var description: String { "\(operation) \(subject): \(String(cString: strerror(errno))); \(nextStep)" }
}
