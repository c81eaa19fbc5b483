package import Isolation
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
/// What the kernel says of the process tells one hang from the other. One that waits for its disk in the kernel cannot
/// be killed and its successor would wait too: it is left alone and the disk is named.
package struct HangDetector: Sendable {
    package enum Verdict: Hashable, Sendable {
        case alive
        case diskStalled
        case hung(Hang, String)
    }

    package static let recordingLimit = TimeSpan.seconds(5)
    package static let connectingLimit = TimeSpan.seconds(30)
    package static let firstReportLimit = TimeSpan.seconds(60)
    package static let writingLimit = TimeSpan.seconds(60)
    /// Our own loop stood still, not the worker's: nothing can be said about the time before.
    package static let lateTick = TimeSpan.seconds(3)
    /// Of the time without progress: who waits uses none, who goes round in circles as much as the machine has to give.
    package static let busyShare = 0.1

    private var limit: TimeSpan
    private var lastMove: MonotonicTime
    private var lastTick: MonotonicTime
    private var lastWrite: MonotonicTime
    private var lastSync: MonotonicTime
    private var latest: WorkerProgress?
    /// Processor time at the first look since the last move.
    private var standing: (since: MonotonicTime, processorTime: Duration)?

    /// `limit` is how long the first report may take.
    package init(at now: MonotonicTime, limit: TimeSpan = HangDetector.firstReportLimit) {
        self.limit = limit
        lastMove = now
        lastTick = now
        lastWrite = now
        lastSync = now
    }

    package mutating func heard(_ progress: WorkerProgress, at now: MonotonicTime) {
        if progress.loops > latest?.loops ?? -1 { lastMove = now }
        // A disk that is full or fails explains it; no other trouble does.
        let isExplained = ["diskFull", "diskError"].contains(progress.lastFault?.code)
        // Behind a closed gate frames come and go.
        let isExpected = progress.state == .recording && !isExplained && !progress.isGateClosed
        let isWriting = isExpected && progress.framesReceived > latest?.framesReceived ?? 0
        let isNewSession = progress.session != latest?.session
        if !isWriting || isNewSession || progress.fragmentsWritten != latest?.fragmentsWritten { lastWrite = now }
        if !isWriting || isNewSession || progress.syncs != latest?.syncs { lastSync = now }
        limit = progress.state == .recording ? Self.recordingLimit : Self.connectingLimit
        latest = progress
    }

    /// To be asked at least once a second.
    package mutating func verdict(at now: MonotonicTime, _ activity: ProcessActivity?) -> Verdict {
        defer { lastTick = now }
        if now - lastTick > Self.lateTick { (lastMove, lastWrite, lastSync) = (now, now, now) }
        let busyShare = share(of: activity, at: now)
        if now - lastMove > limit {
            let words = "no progress for \(Self.seconds(now - lastMove)) s"
            switch activity?.state {
            case .waitingForDisk: return .diskStalled
            case .stopped: return .hung(.frozen, words)
            case _ where busyShare >= Self.busyShare:
                return .hung(.liveLocked, "\(words), \(Int(min(busyShare, 99) * 100)) % of a processor")
            default: return .hung(.asleep, words)
            }
        }
        if now - lastWrite > Self.writingLimit {
            return .hung(.writesNothing, "frames arrive, nothing was written for \(Self.seconds(now - lastWrite)) s")
        }
        if now - lastSync > Self.writingLimit {
            return .hung(.writesNothing, "frames arrive, nothing was synced for \(Self.seconds(now - lastSync)) s")
        }
        return .alive
    }

    /// How much of a processor the process used since it last moved.
    private mutating func share(of activity: ProcessActivity?, at now: MonotonicTime) -> Double {
        guard let activity else { return 0 }
        guard let standing, standing.since >= lastMove, now > standing.since else {
            standing = (now, activity.processorTime)
            return 0
        }
        return (activity.processorTime - standing.processorTime) / Duration(now - standing.since)
    }

    private static func seconds(_ span: TimeSpan) -> Int64 { span.microseconds / 1_000_000 }
}

/// In which way a process that lives does no work; each has its own fault, and another cause.
package enum Hang: Hashable, Sendable {
    /// Stopped by a signal or a debugger.
    case frozen
    /// Uses the processor and gets nowhere.
    case liveLocked
    /// Waits for what does not come.
    case asleep
    /// Its loop goes round, but nothing reaches the disk.
    case writesNothing
}
