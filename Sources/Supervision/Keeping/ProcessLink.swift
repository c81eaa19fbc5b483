package import Isolation
package import Recording

/// What a keeper needs to know about the process it keeps: how to start it, find it, talk to it and ask it to stop.
package protocol ProcessLink: Sendable {
    /// The program's name, for logs and faults.
    var program: String { get }
    /// How long the process may take to stop as asked before SIGTERM, and before SIGKILL.
    var patience: StopPatience { get }

    /// Gets everything ready for a start; throws `Refusal` when the operator must act first.
    ///
    /// `predecessorEnd` is how the last process ended, nil when nobody saw it.
    func prepare(predecessorEnd: GapReason?) async throws -> Launch

    /// The processes that run already, oldest first: an earlier cvrd started them.
    ///
    /// The second of two waits to succeed the first. One that runs but must not is ended here.
    func findRunning() async -> [RunningProcess]

    /// Ends whatever else holds what the process needs.
    func removeLeftovers() async

    /// Talks to the process as long as it lives; throws `Departure.Condemnation` when it must be replaced.
    func converse(with process: RunningProcess) async throws

    /// Asks the process to stop; false when there is no connection to it.
    func askToStop(_ process: RunningProcess, _ reason: GapReason) async -> Bool

    /// How a process that is not our child said that it ends; nil when it said nothing.
    func lastWords(of process: RunningProcess) async -> LastWords?

    // MARK: Swap

    /// Gets everything ready for a process that is to succeed a running one.
    func prepareSuccessor(of process: RunningProcess) async throws -> Launch

    /// From now on this process speaks for the camera; a successor beside it does not.
    func lead(_ process: RunningProcess) async

    /// Waits until the successor can take over, and has the old process let go, right after `isNext`; throws
    /// `SwapFailure` before that.
    func letSucceed(
        _ successor: RunningProcess, after old: RunningProcess, isNext: @Sendable () async -> Void
    ) async throws -> SwapKind

    /// Returns once the process does its work; throws `SwapFailure` when it does not begin to.
    func awaitWork(of process: RunningProcess) async throws
}

/// A process that is simply started again, since nothing is lost by that.
extension ProcessLink {
    package func lastWords(of process: RunningProcess) async -> LastWords? { nil }

    package func prepareSuccessor(of process: RunningProcess) async throws -> Launch {
        throw SwapFailure(
            Fault(code: "notSwapped", message: "\(program) is restarted, not swapped", nextStep: "Restart it"))
    }

    package func lead(_ process: RunningProcess) async {}

    package func letSucceed(
        _ successor: RunningProcess, after old: RunningProcess, isNext: @Sendable () async -> Void
    ) async throws -> SwapKind { .withoutWork }

    package func awaitWork(of process: RunningProcess) async throws {}
}

/// What a process wrote right before it ended on purpose.
package struct LastWords: Hashable, Sendable {
    package var code: Int32
    package var why: String

    package init(code: Int32, why: String) {
        self.code = code
        self.why = why
    }
}

/// How a recording passes from one worker to the next.
package enum SwapKind: Hashable, Sendable {
    /// Both were connected, so that nothing is missing.
    case makeBeforeBreak
    /// The camera allows one connection, or has pictures too large to keep.
    case breakBeforeMake
    /// There was nothing to interrupt.
    case withoutWork
}

/// Why a swap did not happen, or did not work.
package struct SwapFailure: Error, Hashable, Sendable {
    package let fault: Fault
    /// Another build would have fared better; else the camera, or what went before, is to blame.
    package let isOfBuild: Bool

    package init(_ fault: Fault, isOfBuild: Bool = true) { (self.fault, self.isOfBuild) = (fault, isOfBuild) }
}

package struct StopPatience: Hashable, Sendable {
    package var beforeTermination: Duration
    package var beforeKill: Duration
    /// What the kernel may take to bury it after SIGKILL; a process that waits for a dead disk takes for ever.
    package var afterKill: Duration

    package init(beforeTermination: Duration, beforeKill: Duration, afterKill: Duration = .seconds(5)) {
        self.beforeTermination = beforeTermination
        self.beforeKill = beforeKill
        self.afterKill = afterKill
    }

    /// After a second signal: enough to close a segment on a disk that answers.
    static let hurried = StopPatience(beforeTermination: .zero, beforeKill: .seconds(2))
}
