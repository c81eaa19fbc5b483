import Glibc
import Isolation
package import Recording

/// Keeps one process running: carries out what `RestartPolicy` decides, and tells its owner.
///
/// An actor per process, from the moment a camera is configured until it is removed. Nothing here waits for another
/// keeper (I1).
package actor Keeper {
    package enum Order: Sendable {
        case start
        case stop(GapReason)
        case restart(GapReason)
        /// Stop now, at the price of a segment's end.
        case hurry
        /// Stop for good; `run` then returns.
        case retire(GapReason)
        /// `run` returns and the process goes on without us.
        case leave
    }

    /// What the owner is told; `status` after every change.
    package enum Report: Sendable {
        case status(KeeperStatus)
        case happened(type: String, detail: String, isTrouble: Bool)
    }

    private enum Happening: Sendable {
        case ordered(Order)
        case spawned(RunningProcess)
        case notSpawned(Departure)
        case refused(Fault)
        case ended(ExitStatus, pid: Int32)
        case condemned(Departure.Condemnation, pid: Int32)
        /// A process that has ended will say nothing more either.
        case silent
        case leftoversRemoved(Departure)
        case due
    }

    private let link: any ProcessLink
    private let report: @Sendable (Report) async -> Void
    private let happenings: AsyncStream<Happening>
    private nonisolated let inbox: AsyncStream<Happening>.Continuation
    private let ended: AsyncStream<Void>
    private nonisolated let end: AsyncStream<Void>.Continuation

    private var policy = RestartPolicy()
    private var process: RunningProcess?
    private var condemned: Departure.Condemnation?
    private var predecessorEnd: GapReason?
    private var stopReason = GapReason.stopped
    private var outOfMemoryKills: UInt64?
    /// Processes that may still say something, ended ones included.
    private var conversations = 0
    private var endedUnasked = false
    private var isRetiring = false
    private var isHurried = false
    private var status = KeeperStatus()
    private var published: KeeperStatus?

    package init(_ link: any ProcessLink, report: @escaping @Sendable (Report) async -> Void) {
        self.link = link
        self.report = report
        (happenings, inbox) = AsyncStream.makeStream()
        (ended, end) = AsyncStream.makeStream()
    }

    package nonisolated func order(_ order: Order) { inbox.yield(.ordered(order)) }

    /// Returns when `run` has returned.
    package nonisolated func wait() async { for await _ in ended {} }

    /// Keeps the process until told to retire or to leave, or cancelled.
    package func run() async {
        defer { end.finish() }
        await withDiscardingTaskGroup { group in
            if let found = await link.findRunning() { await take(found, .adopted, &group) }
            for await happening in happenings {
                if case .ordered(.leave) = happening { break }
                await handle(happening, &group)
                if isRetiring, conversations == 0, [.stopped, .refused].contains(policy.state) { break }
            }
            group.cancelAll()
        }
    }

    private func handle(_ happening: Happening, _ group: inout DiscardingTaskGroup) async {
        switch happening {
        case .ordered(let order): await obey(order, &group)
        case .spawned(let process): await take(process, nil, &group)
        case .notSpawned(let departure): await conclude(departure, &group)
        case .refused(let fault):
            status.fault = fault
            await report(
                .happened(type: "workerRefused", detail: "\(fault.message). \(fault.nextStep)", isTrouble: true))
            await decide(.ended(.refused), &group)
        case .ended(let ending, let pid): await bury(ending, pid: pid, &group)
        case .condemned(let why, let pid):
            guard process?.pid == pid else { return }
            condemned = why
            process?.signal(SIGKILL)
        case .leftoversRemoved(let departure): await conclude(departure, &group)
        case .silent: conversations -= 1
        case .due: await decide(.due, &group)
        }
    }

    private func obey(_ order: Order, _ group: inout DiscardingTaskGroup) async {
        switch order {
        case .start where isRetiring, .restart where isRetiring: break
        case .start: await decide(.start, &group)
        case .stop(let reason):
            stopReason = reason
            await decide(.stop, &group)
        case .restart(let reason):
            stopReason = reason
            await decide(.restart, &group)
        case .retire(let reason):
            isRetiring = true
            stopReason = reason
            await decide(.stop, &group)
        case .hurry:
            isHurried = true
            if case .stopping = policy.state, let process { climb(process, .hurried, &group) }
        case .leave: break
        }
    }

    private func decide(_ event: RestartPolicy.Event, _ group: inout DiscardingTaskGroup) async {
        for action in policy.handle(event, at: .now, jitter: .random(in: 0..<1)) {
            switch action {
            case .spawn:
                if endedUnasked { status.restarts += 1 }
                endedUnasked = false
                group.addTask { await self.spawn() }
            case .stop:
                if let process { stop(process, &group) }
            case .wake(let time):
                group.addTask { [inbox] in
                    // Cancelled only when nobody reads the inbox any more.
                    try? await Task.sleep(for: Duration(time - .now))
                    inbox.yield(.due)
                }
            }
        }
        await publish()
    }

    private func spawn() async {
        do {
            let launch = try await link.prepare(predecessorEnd: predecessorEnd)
            inbox.yield(.spawned(try await offPool { try RunningProcess.spawn(launch) }))
        } catch let refusal as Refusal {
            inbox.yield(.refused(refusal.fault))
        } catch {
            inbox.yield(.notSpawned(Departure(notStarted: link.program, "\(error)")))
        }
    }

    private func take(
        _ process: RunningProcess, _ event: RestartPolicy.Event?, _ group: inout DiscardingTaskGroup
    ) async {
        self.process = process
        condemned = nil
        outOfMemoryKills = ProcessFacts.outOfMemoryKills()
        await publish()
        conversations += 1
        group.addTask { await self.attend(process) }
        let type = event == .adopted ? "workerAdopted" : "workerStarted"
        await report(.happened(type: type, detail: "\(link.program) \(process.pid)", isTrouble: false))
        if let event { await decide(event, &group) }
        if case .stopping = policy.state { stop(process, &group) }
    }

    /// Watches a process and talks to it until it is gone.
    private func attend(_ process: RunningProcess) async {
        await withDiscardingTaskGroup { group in
            group.addTask { [link, inbox] in
                do {
                    try await link.converse(with: process)
                } catch let why as Departure.Condemnation {
                    inbox.yield(.condemned(why, pid: process.pid))
                } catch {
                    // A conversation that cannot be held ends with its process; silence condemns it otherwise.
                }
            }
            if let ending = await process.exit() { inbox.yield(.ended(ending, pid: process.pid)) }
            // What it said last is still in the socket.
            try? await Task.sleep(for: .milliseconds(200))  // cancelled: nobody wants its last words
            group.cancelAll()
        }
        inbox.yield(.silent)
    }

    private func bury(_ ending: ExitStatus, pid: Int32, _ group: inout DiscardingTaskGroup) async {
        guard process?.pid == pid else { return }
        process = nil
        var isTold = false
        if case .stopping = policy.state { isTold = true }
        let departure = Departure(
            ending, of: link.program, told: isTold, condemned: condemned,
            outOfMemory: outOfMemoryKills != ProcessFacts.outOfMemoryKills())
        predecessorEnd = isTold ? stopReason : departure.gap
        endedUnasked = !isTold
        let type = departure.gap == .workerHang ? "workerHung" : "workerExited"
        let detail = departure.fault?.message ?? "\(link.program) stopped as told"
        await report(.happened(type: type, detail: detail, isTrouble: departure.fault != nil))
        guard departure.leftover else { return await conclude(departure, &group) }
        group.addTask { [link, inbox] in
            await link.removeLeftovers()
            inbox.yield(.leftoversRemoved(departure))
        }
    }

    private func conclude(_ departure: Departure, _ group: inout DiscardingTaskGroup) async {
        status.fault = departure.fault
        await decide(.ended(departure.ending), &group)
    }

    private func stop(_ process: RunningProcess, _ group: inout DiscardingTaskGroup) {
        let reason = stopReason
        let patience = isHurried ? .hurried : link.patience
        group.addTask { [link] in
            let isTold = await link.askToStop(reason)
            if !isTold { process.signal(SIGTERM) }
        }
        climb(process, patience, &group)
    }

    /// SIGTERM, then SIGKILL; a process that is gone feels neither.
    private func climb(_ process: RunningProcess, _ patience: StopPatience, _ group: inout DiscardingTaskGroup) {
        for (delay, signal) in [(patience.beforeTermination, SIGTERM), (patience.beforeKill, SIGKILL)] {
            group.addTask {
                do {
                    try await Task.sleep(for: delay)
                    process.signal(signal)
                } catch {
                    // Cancelled: the keeper is done with the process, or leaves it running.
                }
            }
        }
    }

    private func publish() async {
        status.phase = policy.state
        status.isFlapping = policy.isFlapping
        status.pid = process?.pid
        guard status != published else { return }
        published = status
        await report(.status(status))
    }
}

/// A kept process as its owner sees it.
package struct KeeperStatus: Hashable, Sendable {
    package var phase = RestartPolicy.State.stopped
    package var isFlapping = false
    package var pid: Int32?
    /// Starts after an end that nobody had ordered.
    package var restarts: Int64 = 0
    /// How the last process ended, or why there is none.
    package var fault: Fault?
}
