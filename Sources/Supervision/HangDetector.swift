package import Messages
package import Recording

/// Whether a worker still does its work, judged by its counters: a loop that only pings is not alive.
///
/// A worker reports from its recording loop, so silence means that the loop stands. How long it may depends on where:
/// - recording: 5 s;
/// - starting or reconnecting: 30 s, for the resolver blocks (resolv.conf(5): 5 s, two tries, three servers), and a
///   camera that is away must never look like a hung worker;
/// - before its first report: 60 s, for recovery reads the unfinished segments.
///
/// A process that waits for its disk in the kernel cannot be killed and its successor would wait too: it is left
/// alone and the disk is named.
package struct HangDetector: Hashable, Sendable {
    package enum Verdict: Hashable, Sendable {
        case alive
        case diskStalled
        case hung(String)
    }

    package static let recordingLimit = TimeSpan.seconds(5)
    package static let connectingLimit = TimeSpan.seconds(30)
    package static let firstReportLimit = TimeSpan.seconds(60)
    package static let writingLimit = TimeSpan.seconds(60)
    /// Our own loop stood still, not the worker's: nothing can be said about the time before.
    package static let lateTick = TimeSpan.seconds(3)

    private var limit: TimeSpan
    private var lastMove: MonotonicTime
    private var lastTick: MonotonicTime
    private var lastWrite: MonotonicTime
    private var latest: WorkerProgress?

    /// `limit` is how long the first report may take.
    package init(at now: MonotonicTime, limit: TimeSpan = HangDetector.firstReportLimit) {
        self.limit = limit
        lastMove = now
        lastTick = now
        lastWrite = now
    }

    package mutating func heard(_ progress: WorkerProgress, at now: MonotonicTime) {
        if progress.loops > latest?.loops ?? -1 { lastMove = now }
        // A disk that is full or fails explains it; no other trouble does.
        let isExplained = ["diskFull", "diskError"].contains(progress.lastFault?.code)
        let isWriting =
            progress.state == .recording && !isExplained && progress.framesReceived > latest?.framesReceived ?? 0
        let hasWritten =
            progress.fragmentsWritten != latest?.fragmentsWritten || progress.session != latest?.session
        if !isWriting || hasWritten { lastWrite = now }
        limit = progress.state == .recording ? Self.recordingLimit : Self.connectingLimit
        latest = progress
    }

    /// To be asked at least once a second.
    package mutating func verdict(at now: MonotonicTime, isStuckInDisk: Bool) -> Verdict {
        defer { lastTick = now }
        if now - lastTick > Self.lateTick {
            lastMove = now
            lastWrite = now
        }
        if now - lastMove > limit {
            if isStuckInDisk { return .diskStalled }
            return .hung("no progress for \((now - lastMove).microseconds / 1_000_000) s")
        }
        if now - lastWrite > Self.writingLimit {
            return .hung("frames arrive, nothing was written for \((now - lastWrite).microseconds / 1_000_000) s")
        }
        return .alive
    }
}
