import Glibc
import Isolation
import Messages
import Recording

/// cvrd's part in a swap: it starts the successor, waits until that is ready, and tells the old worker to let go. What
/// happens then is between the two workers.
extension WorkerLink {
    /// A new build that has not proved itself by then is not used.
    static let readinessLimit = Duration.seconds(30)
    /// Nor is one that does not record so long after it could.
    static let workLimit = Duration.seconds(30)

    /// What a swap waits for.
    private enum Readiness: Sendable {
        case ready(hasCamera: Bool, detail: String)
        /// The camera dropped the old connection for the new one: whoever has it goes on.
        case lost
        /// The old worker ended by itself, and the successor went on at once.
        case tookOver
    }

    func prepareSuccessor(of process: RunningProcess) async throws -> Launch {
        guard let slot = await Self.slot(of: process)?.other else {
            throw SwapFailure(
                Fault(code: "notSwapped", message: "the worker does not say its slot", nextStep: "Restart the camera"),
                isOfBuild: false)
        }
        await removeStraySuccessors(beside: process)
        try await prepareDirectory(of: slot)
        if settings == nil { settings = try await resolve() }
        settings?.predecessorEnd = nil
        settings?.lastSession = lastSession
        return await launch(in: slot, ["--role", "successor"])
    }

    func letSucceed(
        _ successor: RunningProcess, after old: RunningProcess, isNext: @Sendable () async -> Void
    ) async throws -> SwapKind {
        let wasRecording = talks[old.pid]?.progress?.state == .recording
        guard let readiness = await readiness(of: successor, after: old, wasRecording: wasRecording) else {
            throw notReady(successor.pid)
        }
        await isNext()
        await reconnect(to: old.pid)
        switch readiness {
        case .ready(hasCamera: true, _), .lost:
            if !tellToHandOver(old) { letGo(old) }
        case .ready(hasCamera: false, let detail):
            await hear(.said(.event(type: "swapWithGap", at: .now, detail: detail)))
            letGo(old)
        case .tookOver: return .withoutWork
        }
        if case .ready(hasCamera: true, _) = readiness { return .makeBeforeBreak }
        return wasRecording ? .breakBeforeMake : .withoutWork
    }

    private func readiness(
        of successor: RunningProcess, after old: RunningProcess, wasRecording: Bool
    ) async -> Readiness? {
        let (end, pid) = (ContinuousClock.now + Self.readinessLimit, successor.pid)
        while true {
            // It may have come while nobody waited for it.
            if case .readyToSucceed(let hasCamera, let detail) = talks[pid]?.readiness {
                return .ready(hasCamera: hasCamera, detail: detail)
            }
            let news = await first(of: successor, within: end - ContinuousClock.now) { from, message -> Readiness? in
                switch message {
                case .readyToSucceed(let hasCamera, let detail) where from == pid:
                    .ready(hasCamera: hasCamera, detail: detail)
                case .progress(let progress) where from == pid && progress.state == .recording: .tookOver
                case .progress where wasRecording: .lost
                default: nil
                }
            }
            guard case .came(let readiness) = news else { return nil }
            guard case .lost = readiness else { return readiness }
            // What both lack is no connection that the camera gave to the other.
            let hasCamera = (talks[pid]?.progress?.bytesReceived ?? 0) > 0
            if hasCamera, talks[old.pid]?.progress?.state != .recording { return .lost }
        }
    }

    func awaitWork(of process: RunningProcess) async throws {
        if talks[process.pid]?.progress?.state == .recording { return }
        let pid = process.pid
        let isAtWork = await first(of: process, within: Self.workLimit) { from, message -> Bool? in
            if case .progress(let progress) = message, from == pid, progress.state == .recording { true } else { nil }
        }
        let said = talks[pid]?.progress?.lastFault?.message ?? "it does not say why"
        var (why, isOfBuild) = ("did not record within 30 s: \(said)", true)
        switch isAtWork {
        case .came: return
        case .ended(let ending):
            let departure = Departure(ending, of: program, told: false, condemned: nil, outOfMemory: false)
            (why, isOfBuild) = ("ended before it recorded", !departure.isOfOthers)
        case .timeUp: break
        }
        throw SwapFailure(
            Fault(
                code: "notRecording", message: "the new worker \(why)",
                nextStep: "Check the new build; report it with the log (journalctl -u cvrd)"), isOfBuild: isOfBuild)
    }

    /// Nil when its command line cannot be read: a process that stands in the kernel may not let that be.
    static func slot(of process: RunningProcess) async -> Slot? {
        let arguments = await offPool(atMost: .seconds(1)) { ProcessFacts.arguments(of: process.pid) } ?? []
        guard let index = arguments.firstIndex(of: "--slot"), index + 1 < arguments.count else { return nil }
        return Slot(rawValue: arguments[index + 1])
    }

    /// A connection that just broke is made anew at once: no reason to end a worker by a signal.
    private func reconnect(to pid: Int32) async {
        for _ in 0..<20 where talks[pid] != nil && talks[pid]?.version == nil {
            // Cancelled: cvrd ends, and the next one goes on.
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// False for a worker that does not know the message, or cannot be reached.
    private func tellToHandOver(_ old: RunningProcess) -> Bool {
        guard let version = talks[old.pid]?.version, version >= 2 else { return false }
        return tell(old.pid, .handOver)
    }

    /// It closes its segment and ends; the successor, who waits for its locks, goes on.
    private func letGo(_ old: RunningProcess) { if !askToStop(old, .upgrade) { old.signal(SIGTERM) } }

    private func notReady(_ pid: Int32) -> SwapFailure {
        let said = talks[pid]?.identity != nil
        let cause =
            talks[pid]?.progress?.lastFault?.message
            ?? (said ? "it rehearses, but says nothing of being ready" : "it does not answer")
        return SwapFailure(
            Fault(
                code: "successorNotReady", message: "the new worker was not ready within 30 s: \(cause)",
                nextStep: "Check the new build; report it with the log (journalctl -u cvrd)"))
    }

    private enum Waited<Value: Sendable>: Sendable {
        case came(Value)
        /// There is nobody to wait for any more.
        case ended(ExitStatus)
        case timeUp
    }

    /// The first message of any worker that `match` takes, while `process` lives.
    private func first<Value: Sendable>(
        of process: RunningProcess, within limit: Duration,
        _ match: @escaping @Sendable (Int32, IngestToSupervisor) -> Value?
    ) async -> Waited<Value> {
        let (stream, continuation) = AsyncStream.makeStream(of: (pid: Int32, message: IngestToSupervisor).self)
        numbers += 1
        let own = numbers
        taps[own] = continuation
        defer { taps[own] = nil }
        return await withTaskGroup(of: Waited<Value>.self) { group in
            group.addTask {
                for await (pid, message) in stream {
                    if let value = match(pid, message) { return .came(value) }
                }
                return .timeUp
            }
            group.addTask { await process.exit(within: limit).map { .ended($0) } ?? .timeUp }
            defer { group.cancelAll() }
            return await group.next() ?? .timeUp
        }
    }
}
