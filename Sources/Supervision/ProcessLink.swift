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

    /// The process, when it already runs: an earlier cvrd started it.
    ///
    /// One that runs but cannot be talked to is ended here.
    func findRunning() async -> RunningProcess?

    /// Ends whatever else holds what the process needs.
    func removeLeftovers() async

    /// Talks to the process as long as it lives; throws `Departure.Condemnation` when it must be replaced.
    func converse(with process: RunningProcess) async throws

    /// Asks the process to stop; false when there is no connection to it.
    func askToStop(_ reason: GapReason) async -> Bool
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
