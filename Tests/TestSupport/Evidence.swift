import Synchronization
package import Testing

/// Remembers whether the running test recorded an issue, so that a box knows to show its logs.
package final class Evidence: Sendable {
    @TaskLocal package static var current: Evidence?

    private let failed = Mutex(false)

    package init() {}

    package var hasFailed: Bool { failed.withLock { $0 } }
    package func fail() { failed.withLock { $0 = true } }
}

extension Trait where Self == IssueHandlingTrait {
    /// A failing test prints the logs of the boxes that it ran, and leaves their directories.
    package static var showsEvidence: Self {
        .compactMapIssues { issue in
            Evidence.current?.fail()
            return issue
        }
    }
}
