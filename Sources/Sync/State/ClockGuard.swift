import Catalog
import Recording

/// Decides whether the clock may delete what is old (I11), and remembers the last reading that could be trusted.
///
/// The reading lies beside the catalog, not in it: a catalog that is begun anew must not believe the next best clock.
package struct ClockGuard {
    /// A reading serves until the box starts again; then the time since it counts as time that the box was off.
    private static let interval = TimeSpan.seconds(3600)

    let work: Workspace
    let progress: Progress

    package init(work: Workspace, progress: Progress) {
        self.work = work
        self.progress = progress
    }

    private var file: StateFile<RetentionClock> { StateFile(path: work.settings.folder.path + "/clock") }

    /// Judges the clock; a trusted reading is remembered, one that moved stays a fault until it is right or accepted.
    func permits() throws -> Bool {
        let isSynchronised = work.settings.trustsClock || work.clock.isSynchronised()
        let last = try file.read()
        let newest = last == nil ? try work.catalog.newestEnd() : nil
        switch RetentionClock.judge(reading, isSynchronised: isSynchronised, last: last, newest: newest) {
        case .trusted(let reading):
            if last.map({ reading.renews($0, after: Self.interval) }) ?? true { try file.write(reading) }
            progress.clear(.clock)
            return true
        case .unsynchronised:
            return false
        case .moved(let span):
            let fault = SyncError(
                .clockMoved,
                "the clock is \(Int64(span.seconds)) s from where it was expected; nothing is deleted for its age",
                nextStep: "correct the clock; if it is right, run cvrctl clock accept")
            // The span grows and shrinks with time: told when it begins.
            if !progress.has(.clock) { work.tell("clockMoved", nil, "\(fault)") }
            progress.blame(.clock, fault)
            return false
        }
    }

    /// An operator says that the clock is right.
    package func accept() throws {
        try file.write(reading)
        progress.clear(.clock)
        work.tell("clockAccepted", nil, "deletion by age resumes at \(work.clock.now().rfc3339)")
    }

    private var reading: RetentionClock {
        RetentionClock(wall: work.clock.now(), monotonic: work.clock.monotonic(), bootID: work.clock.bootID)
    }
}
