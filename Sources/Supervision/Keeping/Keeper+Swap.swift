import Glibc
import Isolation
package import Recording

/// How a swap ended.
package enum SwapEnd: Hashable, Sendable {
    case replaced(SwapKind)
    /// The old process goes on as if nothing had been.
    case rolledBack(Fault)
    /// The old process is gone, and the new one does not do its work.
    case broken(Fault)
    /// There was nothing to swap, or somebody stopped it.
    case notDone(String)
}

/// A successor beside the process that is kept.
struct Swap {
    let number: Int
    /// The one that is to let go.
    let old: Int32
    /// Nil before it was started, and once it is the process itself.
    var process: RunningProcess?
    /// Why the successor is ended by us, who did not tell it to end.
    var condemned: Departure.Condemnation?
    /// The old process was asked to let go, or is gone.
    var isLettingGo = false
    var isPromoted = false
    let answer: AsyncStream<SwapEnd>.Continuation?
}

/// One process after another: the new one is started beside the old one, and is the process that is kept from the
/// moment the old one ends, however that happens (ARCHITECTURE, "Swap").
extension Keeper {
    /// A keyframe may be as far away as that.
    private static let lettingGo = Duration.seconds(90)
    /// A worker that cannot be reached is swapped again after that.
    private static let unreachablePause = Duration.seconds(60)

    /// Whether the end of the process is what was asked of it.
    var isLettingGo: Bool { swap?.isLettingGo == true }

    /// Swaps, and says how that ended.
    package nonisolated func swapped() async -> SwapEnd {
        let (stream, continuation) = AsyncStream.makeStream(of: SwapEnd.self)
        if case .terminated = inbox.yield(.ordered(.swap(continuation))) { return .notDone("cvrd ends") }
        for await end in stream { return end }
        return .notDone("cvrd ends")
    }

    func beginSwap(_ answer: AsyncStream<SwapEnd>.Continuation?, _ group: inout DiscardingTaskGroup) {
        guard case .running = policy.state, let old = process, swap == nil, !isRetiring else {
            answer?.yield(.notDone(swap == nil ? "no worker runs" : "it is being replaced already"))
            answer?.finish()
            return
        }
        swaps += 1
        let number = swaps
        swap = Swap(number: number, old: old.pid, answer: answer)
        group.addTask { await self.swap(number, from: old, to: nil) }
    }

    /// A cvrd before us began it.
    func goOnSwapping(
        from old: RunningProcess, to successor: RunningProcess, _ group: inout DiscardingTaskGroup
    ) async {
        swaps += 1
        let number = swaps
        swap = Swap(number: number, old: old.pid, answer: nil)
        await succeed(successor, number, &group)
        group.addTask { await self.swap(number, from: old, to: successor) }
    }

    private func swap(_ number: Int, from old: RunningProcess, to found: RunningProcess?) async {
        do {
            let successor = try await startSuccessor(number, of: old, found)
            let kind = try await link.letSucceed(successor, after: old) { [weak self] in await self?.expectEnd(number) }
            guard await old.exit(within: Self.lettingGo) != nil else { throw Self.heldOn }
            if kind != .withoutWork { try await link.awaitWork(of: successor) }
            inbox.yield(.swapped(.replaced(kind), swap: number))
        } catch let failure as SwapFailure where failure.isOfBuild {
            inbox.yield(.swapped(.rolledBack(failure.fault), swap: number))
        } catch let failure as SwapFailure {
            inbox.yield(.swapped(.notDone("\(failure.fault.message). \(failure.fault.nextStep)"), swap: number))
        } catch let refusal as Refusal {
            inbox.yield(.swapped(.notDone("\(refusal.fault.message). \(refusal.fault.nextStep)"), swap: number))
        } catch let error as IsolationError where Self.shortages.contains(error.errno) {
            inbox.yield(.swapped(.notDone("\(error)"), swap: number))
        } catch {
            let fault = Fault(
                code: "swapFailed", message: "the new worker could not be started: \(error)",
                nextStep: "Check the new build")
            inbox.yield(.swapped(.rolledBack(fault), swap: number))
        }
    }

    /// What a box may lack, whatever the build.
    private static let shortages: Set = [EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC]

    private static let heldOn = SwapFailure(
        Fault(
            code: "notHandedOver", message: "the old worker did not hand over within 90 s",
            nextStep: "Give the camera a shorter keyframe interval, or restart it with `cvrctl camera restart`"),
        isOfBuild: false)

    private func startSuccessor(
        _ number: Int, of old: RunningProcess, _ found: RunningProcess?
    ) async throws -> RunningProcess {
        if let found { return found }
        let launch = try await link.prepareSuccessor(of: old)
        try Task.checkCancellation()
        return try await offPool { [inbox] in
            let process = try RunningProcess.spawn(launch)
            // Given up meanwhile: nobody would keep it.
            if case .terminated = inbox.yield(.succeeding(process, swap: number)) { process.signal(SIGTERM) }
            return process
        }
    }

    /// From here on the old process ends as it was asked to.
    private func expectEnd(_ number: Int) { if swap?.number == number { swap?.isLettingGo = true } }

    /// The successor was started.
    func succeed(_ successor: RunningProcess, _ number: Int, _ group: inout DiscardingTaskGroup) async {
        guard let swap, swap.number == number, process?.pid == swap.old else {
            successor.signal(SIGTERM)
            return
        }
        self.swap?.process = successor
        attend(to: successor, &group)
        await report(.happened(type: "successorStarted", detail: "\(link.program) \(successor.pid)", nil))
        await publish()
    }

    /// The process has ended: true when its successor is the process now.
    func promoteSuccessor(_ departure: Departure, _ group: inout DiscardingTaskGroup) async -> Bool {
        guard let successor = swap?.process else {
            // It ended before there was one: what is started next is no part of this swap.
            if swap?.isPromoted == false { finishSwap(.notDone("the worker ended by itself")) }
            return false
        }
        swap?.process = nil
        swap?.isPromoted = true
        process = successor
        condemned = nil
        // Nobody has asked for this end: what is known of it is shown, until it is healed.
        if departure.fault != nil { status.restarts += 1 }
        status.fault = departure.fault
        await publish()
        await link.lead(successor)
        await report(.happened(type: "successorTookOver", detail: "\(link.program) \(successor.pid)", nil))
        if case .stopping = policy.state { stop(successor, &group) }
        return true
    }

    /// A successor ended before it was one: the old process goes on.
    func burySuccessor(_ ending: ExitStatus, pid: Int32, _ group: inout DiscardingTaskGroup) async {
        guard let swap, swap.process?.pid == pid else { return }
        self.swap?.process = nil
        let departure = Departure(ending, of: link.program, told: false, condemned: nil, outOfMemory: false)
        if departure.isOfOthers, swap.condemned == nil, let fault = departure.fault {
            await report(.happened(type: "workerExited", detail: "\(fault.message), a successor", fault))
            return await conclude(swap.number, .notDone("\(fault.message); run `cvrctl upgrade` again"), &group)
        }
        let fault = Fault(
            code: "successorEnded", message: departure.fault?.message ?? "the new worker ended",
            nextStep: "Read its last lines in the log (journalctl -u cvrd); check the new build")
        await conclude(swap.number, .rolledBack(fault), &group)
    }

    func conclude(_ number: Int, _ end: SwapEnd, _ group: inout DiscardingTaskGroup) async {
        guard let swap, swap.number == number else { return }
        if case .replaced = end, !swap.isPromoted {
            // The end of the old process was noticed there first; it is on its way here.
            inbox.yield(.swapped(end, swap: number))
            return
        }
        if let successor = swap.process {
            guard await successor.exit(within: .zero) == nil else {
                // That it has ended is on its way here, and how: this says what to make of it.
                inbox.yield(.swapped(end, swap: number))
                return
            }
            group.addTask { await Leftover.end(successor) }
        }
        var end = end
        if case .notDone(let why) = end, swap.condemned != nil {
            end = .rolledBack(
                Fault(code: "successorEnded", message: why, nextStep: "Check the new build; report it with the log"))
        }
        if case .rolledBack(let fault) = end, swap.isPromoted { end = .broken(fault) }
        if case .rolledBack(let fault) = end, case .running = policy.state {
            await report(
                .happened(type: "swapRolledBack", detail: "\(fault.message). \(fault.nextStep)", fault))
        }
        finishSwap(end)
        await publish()
    }

    /// Nobody waits for its end any more; a successor that has not taken over ends.
    func abandonSwap(_ why: String, _ group: inout DiscardingTaskGroup) {
        if let successor = swap?.process { group.addTask { await Leftover.end(successor) } }
        // It stays the successor until it ends: should it have taken over meanwhile, it is stopped as one that has.
        guard swap?.process == nil else {
            swap?.answer?.yield(.notDone(why))
            swap?.answer?.finish()
            return
        }
        finishSwap(.notDone(why))
    }

    func finishSwap(_ end: SwapEnd) {
        swap?.answer?.yield(end)
        swap?.answer?.finish()
        swap = nil
    }

    func condemn(_ pid: Int32, _ why: Departure.Condemnation, _ group: inout DiscardingTaskGroup) async {
        guard let process, process.pid == pid else {
            if let successor = swap?.process, successor.pid == pid {
                swap?.condemned = why
                successor.signal(SIGKILL)
            }
            return
        }
        if case .unreachable(let detail) = why {
            let fault = Departure.unreachable(link.program, detail)
            await report(.happened(type: fault.code, detail: detail, fault))
            return replaceUnreachable(process, why, &group)
        }
        condemned = why
        if swap?.isPromoted == true { swap?.condemned = why }
        // One that only speaks another version closes its segment.
        if case .otherVersion = why { climb(process, link.patience, &group) } else { process.signal(SIGKILL) }
    }

    /// It records, but nobody can hear it: another one goes on in its place, before this one ends.
    private func replaceUnreachable(
        _ process: RunningProcess, _ why: Departure.Condemnation, _ group: inout DiscardingTaskGroup
    ) {
        beginSwap(nil, &group)
        group.addTask { [inbox] in
            // Cancelled when nobody reads the inbox any more.
            guard await process.exit(within: Self.unreachablePause) == nil else { return }
            inbox.yield(.condemned(why, pid: process.pid))
        }
    }
}
