import Foundation
import Synchronization
package import Testing

/// Remembers whether a test recorded an issue about a box, so that the box shows its logs and keeps its files.
package final class Evidence: Sendable {
    @TaskLocal package static var current: Evidence?

    private struct State {
        var hasFailed = false
        /// The directories of boxes that are gone; they go with this process if nothing fails.
        var kept: [String] = []
    }

    private static let all = Mutex<[Evidence]>([])
    private let state = Mutex(State())

    package init() {}

    package var hasFailed: Bool { state.withLock { $0.hasFailed } }

    /// The first failure shows what the boxes that are gone already have logged.
    package func fail() {
        let kept = state.withLock { state in
            defer { state.hasFailed = true }
            return state.hasFailed ? [] : state.kept
        }
        for root in kept { print("---- \(root): the end of log/cvrd\n\(Box.log(of: root).suffix(12000))") }
    }

    /// Keeps a box's directory for checks that are still to come.
    func keep(_ root: String) {
        state.withLock { $0.kept.append(root) }
        let isFirst = Self.all.withLock { all in
            all.append(self)
            return all.count == 1
        }
        if isFirst { atexit { Evidence.clearAway() } }
    }

    private static func clearAway() {
        for evidence in all.withLock({ $0 }) where !evidence.hasFailed {
            // The process ends: what cannot be removed is left to /tmp.
            for root in evidence.state.withLock({ $0.kept }) { try? FileManager.default.removeItem(atPath: root) }
        }
    }
}

extension Trait where Self == IssueHandlingTrait {
    /// A failing test prints the logs of the boxes that it ran, and leaves their directories.
    package static var showsEvidence: Self { showsEvidence(of: nil) }

    /// The same for tests that check what an earlier box recorded for all of them.
    package static func showsEvidence(of run: Evidence?) -> Self {
        .compactMapIssues { issue in
            (Evidence.current ?? run)?.fail()
            return issue
        }
    }
}
