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
        /// Have a new process succeed the running one; the answer is how that ended.
        case swap(AsyncStream<SwapEnd>.Continuation)
    }

    /// What the owner is told; `status` after every change.
    package enum Report: Sendable {
        case status(KeeperStatus)
        /// For `cvrctl events`; with the fault that it was, if it was one.
        case happened(type: String, detail: String, Fault?)
    }

    enum Happening: Sendable {
        case ordered(Order)
        case spawned(RunningProcess)
        case notSpawned(Departure)
        case refused(Fault)
        case ended(ExitStatus, pid: Int32)
        case condemned(Departure.Condemnation, pid: Int32)
        /// A process that has ended will say nothing more either.
        case silent
        case succeeding(RunningProcess, swap: Int)
        case swapped(SwapEnd, swap: Int)
        case leftoversRemoved(Departure)
        case due
        /// The end of this stop's ladder was reached.
        case overdue(stop: Int)
        /// Somebody waits for the orders before it.
        case asked(AsyncStream<Void>.Continuation)
        /// Somebody waits for the last words of what ended.
        case listened(AsyncStream<Void>.Continuation)
        /// Somebody wants to know that the inbox is read.
        case felt(AsyncStream<Void>.Continuation)
    }

    let link: any ProcessLink
    let report: @Sendable (Report) async -> Void
    private let happenings: AsyncStream<Happening>
    nonisolated let inbox: AsyncStream<Happening>.Continuation
    private let ended: AsyncStream<Void>
    private nonisolated let end: AsyncStream<Void>.Continuation

    var policy = RestartPolicy()
    var process: RunningProcess?
    var condemned: Departure.Condemnation?
    private var predecessorEnd: GapReason?
    private var stopReason = GapReason.stopped
    private var memoryWatch = OutOfMemoryWatch()
    /// Processes that may still say something, ended ones included.
    var conversations = 0
    private var endedUnasked = false
    var isRetiring = false
    private var isHurried = false
    /// Ladders begun so far: only the last one's end counts.
    private var stops = 0
    /// Neither the process nor its start can be ended.
    var isStuck = false
    private var waiters: [AsyncStream<Void>.Continuation] = []
    private var listeners: [AsyncStream<Void>.Continuation] = []
    var swap: Swap?
    var swaps = 0
    var status = KeeperStatus()
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

    /// Returns when the orders before it are carried out: nothing is stopping any more, or cannot be stopped.
    package nonisolated func settled() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        if case .terminated = inbox.yield(.asked(continuation)) { return }
        for await _ in stream {}
    }

    /// Returns when nothing that has ended says anything any more, or something runs, or cannot be ended.
    package nonisolated func silent() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        if case .terminated = inbox.yield(.listened(continuation)) { return }
        for await _ in stream {}
    }

    /// Returns when the inbox was read up to here.
    package nonisolated func pulse() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        if case .terminated = inbox.yield(.felt(continuation)) { return }
        for await _ in stream {}
    }

    /// Keeps the process until told to retire or to leave, or cancelled.
    package func run() async {
        defer { end.finish() }
        await withDiscardingTaskGroup { group in
            let found = await link.findRunning()
            if let first = found.first { await take(first, .adopted, &group) }
            if let first = found.first, let second = found.dropFirst().first {
                await goOnSwapping(from: first, to: second, &group)
            }
            for await happening in happenings {
                if case .ordered(.leave) = happening { break }
                await handle(happening, &group)
                if isRetiring, isStuck || (conversations == 0 && isDown) { break }
            }
            group.cancelAll()
        }
        await close()
    }

    /// Leaves nobody waiting, and no process behind that was started too late.
    private func close() async {
        inbox.finish()
        for await happening in happenings {
            switch happening {
            case .asked(let waiter), .felt(let waiter), .listened(let waiter): waiters.append(waiter)
            case .ordered(.swap(let answer)):
                answer.yield(.notDone("cvrd ends"))
                answer.finish()
            case .spawned(let process) where isRetiring: process.signal(SIGTERM)
            case .succeeding(let process, _): process.signal(SIGTERM)
            default: break
            }
        }
        for waiter in waiters + listeners { waiter.finish() }
        finishSwap(.notDone("cvrd ends"))
    }

    private var isDown: Bool { [.stopped, .refused].contains(policy.state) }

    private func handle(_ happening: Happening, _ group: inout DiscardingTaskGroup) async {
        switch happening {
        case .ordered(let order): await obey(order, &group)
        case .spawned(let process): await take(process, nil, &group)
        case .notSpawned(let departure): await conclude(departure, &group)
        case .refused(let fault):
            status.fault = fault
            await report(
                .happened(type: "workerRefused", detail: "\(fault.message). \(fault.nextStep)", fault))
            await decide(.ended(.refused), &group)
        case .ended(let ending, let pid): await bury(ending, pid: pid, &group)
        case .condemned(let why, let pid):
            await condemn(pid, why, &group)
        case .leftoversRemoved(let departure): await conclude(departure, &group)
        case .silent:
            conversations -= 1
            await publish()
        case .succeeding(let process, let swap): await succeed(process, swap, &group)
        case .swapped(let end, let swap): await conclude(swap, end, &group)
        case .due: await decide(.due, &group)
        case .overdue(let stop): await giveUp(stop)
        case .asked(let waiter):
            waiters.append(waiter)
            await publish()
        case .listened(let listener):
            listeners.append(listener)
            await publish()
        case .felt(let waiter): waiter.finish()
        }
    }

    private func obey(_ order: Order, _ group: inout DiscardingTaskGroup) async {
        switch order {
        case .start where isRetiring, .restart where isRetiring: break
        case .start: await decide(.start, &group)
        case .stop(let reason):
            stopReason = reason
            if policy.state == .refused { status.fault = nil }
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
        case .swap(let answer): beginSwap(answer, &group)
        }
    }

    func decide(_ event: RestartPolicy.Event, _ group: inout DiscardingTaskGroup) async {
        for action in policy.handle(event, at: .now, jitter: .random(in: 0..<1)) {
            switch action {
            case .spawn:
                if endedUnasked { status.restarts += 1 }
                endedUnasked = false
                group.addTask { await self.spawn() }
            case .stop: stop(process, &group)
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
            try Task.checkCancellation()
            try await offPool { [inbox] in
                let process = try RunningProcess.spawn(launch)
                // Given up meanwhile: nobody would keep it.
                if case .terminated = inbox.yield(.spawned(process)) { process.signal(SIGTERM) }
            }
        } catch let refusal as Refusal {
            inbox.yield(.refused(refusal.fault))
        } catch {
            inbox.yield(.notSpawned(Departure(notStarted: link.program, "\(error)")))
        }
    }

    func take(
        _ process: RunningProcess, _ event: RestartPolicy.Event?, _ group: inout DiscardingTaskGroup
    ) async {
        self.process = process
        condemned = nil
        isStuck = false
        memoryWatch = OutOfMemoryWatch()
        await publish()
        await link.lead(process)
        attend(to: process, &group)
        let type = event == .adopted ? "workerAdopted" : "workerStarted"
        await report(.happened(type: type, detail: "\(link.program) \(process.pid)", nil))
        if let event { await decide(event, &group) }
        if case .stopping = policy.state { stop(process, &group) }
    }

    func attend(to process: RunningProcess, _ group: inout DiscardingTaskGroup) {
        conversations += 1
        group.addTask { await self.attend(process) }
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
            group.addTask { [memoryWatch] in
                do {
                    while true {
                        try await Task.sleep(for: OutOfMemoryWatch.period)
                        memoryWatch.sample()
                    }
                } catch {
                    // Cancelled: the process is gone.
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
        guard let ended = process, ended.pid == pid else { return await burySuccessor(ending, pid: pid, &group) }
        let words = ending == .unknown ? await link.lastWords(of: ended) : nil
        let ending = words.map { ExitStatus.exited($0.code) } ?? ending
        process = nil
        isStuck = false
        var isTold = isLettingGo
        if case .stopping = policy.state { isTold = true }
        let departure = Departure(
            ending, of: link.program, told: isTold, condemned: condemned,
            outOfMemory: memoryWatch.hasRisen)
        predecessorEnd = isTold ? stopReason : departure.gap
        endedUnasked = !isTold
        let hang = departure.gap == .workerHang ? departure.fault?.code : nil
        let type = hang ?? "workerExited"
        let detail = departure.fault.map { "\($0.message). \($0.nextStep)" } ?? "\(link.program) stopped as told"
        let said = words.map { "; its last words: \($0.why)" } ?? ""
        await report(.happened(type: type, detail: detail + said, departure.fault))
        if await promoteSuccessor(departure, &group) { return }
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

    /// Without a process its start is under way: it is stopped when it is there.
    func stop(_ process: RunningProcess?, _ group: inout DiscardingTaskGroup) {
        let reason = stopReason
        abandonSwap("the camera is stopped", &group)
        if let process {
            group.addTask { [link] in
                let isTold = await link.askToStop(process, reason)
                if !isTold { process.signal(SIGTERM) }
            }
        }
        climb(process, isHurried ? .hurried : link.patience, &group)
    }

    /// SIGTERM, then SIGKILL, then giving up; a process that is gone feels nothing.
    func climb(_ process: RunningProcess?, _ patience: StopPatience, _ group: inout DiscardingTaskGroup) {
        stops += 1
        group.addTask { [inbox, stops] in
            do {
                try await Task.sleep(for: patience.beforeTermination)
                process?.signal(SIGTERM)
                try await Task.sleep(for: patience.beforeKill - patience.beforeTermination)
                process?.signal(SIGKILL)
                try await Task.sleep(for: patience.afterKill)
                inbox.yield(.overdue(stop: stops))
            } catch {
                // Cancelled: the keeper is done with the process, or leaves it running.
            }
        }
    }

    /// Whoever waits goes on without it; should it end some day, that is noticed.
    private func giveUp(_ stop: Int) async {
        guard stop == stops, case .stopping = policy.state else { return }
        isStuck = true
        let fault = Fault(
            code: "workerStuck", message: "\(link.program) does not end, not even on SIGKILL",
            nextStep: "Check the disk that it waits for (dmesg, smartctl)")
        status.fault = fault
        await report(.happened(type: fault.code, detail: "\(fault.message). \(fault.nextStep)", fault))
        await publish()
    }

    /// Whoever waits for an order goes on only when the owner knows what came of it.
    func publish() async {
        status.phase = policy.state
        status.isFlapping = policy.isFlapping
        status.pid = process?.pid
        status.successor = swap?.process?.pid
        if status != published {
            published = status
            await report(.status(status))
        }
        if case .stopping = policy.state, !isStuck { return }
        for waiter in waiters { waiter.finish() }
        waiters = []
        guard conversations == 0 || !isDown || isStuck else { return }
        for listener in listeners { listener.finish() }
        listeners = []
    }
}

/// A kept process as its owner sees it.
package struct KeeperStatus: Hashable, Sendable {
    package var phase = RestartPolicy.State.stopped
    package var isFlapping = false
    package var pid: Int32?
    /// A process that waits to succeed this one.
    package var successor: Int32?
    /// Starts after an end that nobody had ordered.
    package var restarts: Int64 = 0
    /// How the last process ended, or why there is none.
    package var fault: Fault? { didSet { faultAt = fault.map { _ in .now } } }
    package private(set) var faultAt: WallTime?
}
