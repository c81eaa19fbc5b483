import Glibc
import Isolation
import Recording
import Supervision
import Synchronization
import Testing

/// A link to a shell script.
private final class ScriptedLink: ProcessLink {
    /// What becomes of the successor.
    enum Succession: Sendable {
        /// The old process lets go, and the new one does its work.
        case works
        case neverWorks
        /// For a reason that is no build's fault.
        case fails
        /// It is never ready.
        case waits
        /// It cannot even be prepared in this life.
        case hangs
    }

    let program = "scripted"
    let patience: StopPatience
    private let state: Mutex<(launches: [GapReason?], script: String, refusal: Refusal?, hangs: Bool)>
    private let condemn: AsyncStream<Departure.Condemnation>
    let condemnation: AsyncStream<Departure.Condemnation>.Continuation
    private let succession: Succession
    private let successorScript: String
    private let silence = Atomic(false)

    /// Nothing more is heard of a process that ran.
    var isSilent: Bool { silence.load(ordering: .relaxed) }

    init(
        _ script: String, patience: StopPatience = StopPatience(beforeTermination: .zero, beforeKill: .seconds(60)),
        succession: Succession = .works, successor: String = "exec sleep 1000"
    ) {
        self.patience = patience
        self.succession = succession
        successorScript = successor
        state = Mutex(([], script, nil, false))
        (condemn, condemnation) = AsyncStream.makeStream()
    }

    /// How each launch was told that its predecessor had ended.
    var launches: [GapReason?] { state.withLock { $0.launches } }

    /// As a dead disk does.
    func hangStarts() { state.withLock { $0.hangs = true } }

    func refuse(_ refusal: Refusal?) { state.withLock { $0.refusal = refusal } }

    func prepare(predecessorEnd: GapReason?) async throws -> Launch {
        if state.withLock({ $0.hangs }) { await untilCancelled() }
        return try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            state.launches.append(predecessorEnd)
            return Launch(executable: "/bin/sh", arguments: ["-c", state.script])
        }
    }

    func findRunning() async -> [RunningProcess] { [] }
    func removeLeftovers() async {}
    func askToStop(_ process: RunningProcess, _ reason: GapReason) async -> Bool { true }

    func converse(with process: RunningProcess) async throws {
        defer { silence.store(true, ordering: .relaxed) }
        for await why in condemn { throw why }
    }

    func prepareSuccessor(of process: RunningProcess) async throws -> Launch {
        if case .hangs = succession { await untilCancelled() }
        return Launch(executable: "/bin/sh", arguments: ["-c", successorScript])
    }

    func letSucceed(
        _ successor: RunningProcess, after old: RunningProcess, isNext: @Sendable () async -> Void
    ) async throws -> SwapKind {
        if case .waits = succession { await untilCancelled() }
        if case .fails = succession { throw SwapFailure(Self.fault, isOfBuild: false) }
        await isNext()
        old.signal(SIGTERM)
        return .makeBeforeBreak
    }

    func awaitWork(of process: RunningProcess) async throws {
        if case .neverWorks = succession { throw SwapFailure(Self.fault) }
    }

    static let fault = Fault(code: "test", message: "it does not", nextStep: "look")
}

/// A keeper at work, and what it reports.
private struct Kept {
    let keeper: Keeper
    let run: Task<Void, Never>
    private var reports: AsyncStream<Keeper.Report>.Iterator

    fileprivate init(_ link: ScriptedLink) {
        let (stream, continuation) = AsyncStream.makeStream(of: Keeper.Report.self)
        let keeper = Keeper(link) { continuation.yield($0) }
        self.keeper = keeper
        run = Task {
            await keeper.run()
            continuation.finish()
        }
        reports = stream.makeAsyncIterator()
    }

    mutating func status(where fits: (KeeperStatus) -> Bool) async throws -> KeeperStatus {
        while true {
            if case .status(let status) = try #require(await reports.next()), fits(status) { return status }
        }
    }

    mutating func pid(after old: Int32? = nil) async throws -> Int32 {
        try #require(try await status { $0.pid != nil && $0.pid != old }.pid)
    }

    func end() async {
        keeper.order(.retire(.stopped))
        keeper.order(.hurry)
        await run.value
    }
}

/// Runs `body` with a keeper at work; whatever happens, it and its process are gone afterwards.
private func withKeeper(
    _ link: ScriptedLink, isolation: isolated (any Actor)? = #isolation, _ body: (inout Kept) async throws -> Void
) async throws {
    var kept = Kept(link)
    do {
        try await body(&kept)
    } catch {
        await kept.end()
        throw error
    }
    await kept.end()
}

@Suite("Supervision: keeper", .timeLimit(.minutes(1)))
struct KeeperTests {
    @Test("a crashed process is replaced at once, and its successor is told how it ended")
    func respawn() async throws {
        let link = ScriptedLink("exec sleep 1000")
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            let first = try await kept.pid()
            let clock = ContinuousClock()
            let start = clock.now
            try #require(try RunningProcess.adopt(pid: first)).signal(SIGSEGV)
            let second = try await kept.pid(after: first)
            #expect(clock.now - start < .seconds(2))
            #expect(second != first)
            #expect(link.launches == [nil, .workerCrash])
        }
    }

    @Test("a process that hangs is killed and replaced")
    func hung() async throws {
        let link = ScriptedLink("trap '' TERM; exec sleep 1000")
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            let first = try await kept.pid()
            link.condemnation.yield(.hung(.asleep, "test"))
            _ = try await kept.pid(after: first)
            #expect(link.launches == [nil, .workerHang])
        }
    }

    @Test("a stop ends in SIGKILL for a process that ignores the rest, and it stays stopped")
    func stopLadder() async throws {
        let link = ScriptedLink(
            "trap '' TERM; exec sleep 1000",
            patience: StopPatience(beforeTermination: .milliseconds(10), beforeKill: .milliseconds(50)))
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            let pid = try await kept.pid()
            kept.keeper.order(.stop(.stopped))
            let status = try await kept.status { $0.phase == .stopped }
            #expect(status.pid == nil)
            #expect(status.fault?.code == "stopForced")
            #expect(status.restarts == 0)
            #expect(ProcessFacts.startTime(of: pid) == nil)
            kept.keeper.order(.start)
            _ = try await kept.pid()
            #expect(link.launches == [nil, .stopped])
        }
    }

    @Test("a stop that comes while the process is being started stops it")
    func stopDuringStart() async throws {
        let link = ScriptedLink("exec sleep 1000")
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            kept.keeper.order(.stop(.stopped))
            _ = try await kept.status { $0.phase == .stopping(then: .stay) }
            let status = try await kept.status { $0.phase == .stopped }
            #expect(status.pid == nil)
        }
    }

    @Test("a refused start waits for the operator")
    func refused() async throws {
        let link = ScriptedLink("exec sleep 1000")
        link.refuse(Refusal(code: "wrongDisk", "another disk", nextStep: "mount it"))
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            let status = try await kept.status { $0.phase == .refused }
            #expect(status.fault == Fault(code: "wrongDisk", message: "another disk", nextStep: "mount it"))
            link.refuse(nil)
            kept.keeper.order(.start)
            _ = try await kept.pid()
        }
    }

    @Test("a process that refuses to run is not started again")
    func exit78() async throws {
        try await withKeeper(ScriptedLink("exit 78")) { kept in
            kept.keeper.order(.start)
            let status = try await kept.status { $0.phase == .refused }
            #expect(status.fault?.code == "workerRefused")
        }
    }

    @Test("a process that crashes again and again is started again and again, with waits in between")
    func crashLoop() async throws {
        try await withKeeper(ScriptedLink("sleep 0.01; exit 1")) { kept in
            kept.keeper.order(.start)
            for _ in 0..<2 { _ = try await kept.status { if case .waiting = $0.phase { true } else { false } } }
            #expect(try await kept.status { $0.restarts >= 2 }.fault?.code == "workerCrash")
        }
    }

    @Test("a stop that cannot be done is given up: nobody waits for it for ever")
    func stuck() async throws {
        let link = ScriptedLink(
            "exec sleep 1000",
            patience: StopPatience(beforeTermination: .zero, beforeKill: .milliseconds(1), afterKill: .milliseconds(1)))
        link.hangStarts()
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            kept.keeper.order(.stop(.stopped))
            await kept.keeper.settled()
            let status = try await kept.status { $0.fault != nil }
            #expect(status.fault?.code == "workerStuck")
            kept.keeper.order(.retire(.stopped))
            await kept.run.value
            await kept.keeper.settled()
        }
    }

    @Test("whoever wants to know what a process said last waits until it has said it, and for none that runs")
    func silent() async throws {
        let link = ScriptedLink("exec sleep 1000")
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            _ = try await kept.pid()
            await kept.keeper.silent()
            #expect(!link.isSilent)
            kept.keeper.order(.stop(.stopped))
            kept.keeper.order(.hurry)
            await kept.keeper.settled()
            await kept.keeper.silent()
            #expect(link.isSilent)
        }
    }

    @Test("whoever waits for an order is answered when it is carried out")
    func settled() async throws {
        let link = ScriptedLink("exec sleep 1000")
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            let pid = try await kept.pid()
            kept.keeper.order(.stop(.stopped))
            kept.keeper.order(.hurry)
            await kept.keeper.settled()
            #expect(ProcessFacts.startTime(of: pid) == nil)
        }
    }

    @Test("a stopped process keeps no word of an earlier refusal")
    func refusalForgotten() async throws {
        let link = ScriptedLink("exec sleep 1000")
        link.refuse(Refusal(code: "wrongDisk", "another disk", nextStep: "mount it"))
        try await withKeeper(link) { kept in
            kept.keeper.order(.start)
            _ = try await kept.status { $0.phase == .refused }
            kept.keeper.order(.stop(.stopped))
            #expect(try await kept.status { $0.phase == .stopped }.fault == nil)
        }
    }

    @Test("a keeper that leaves lets its process live on")
    func leave() async throws {
        try await withKeeper(ScriptedLink("exec sleep 1000")) { kept in
            kept.keeper.order(.start)
            let pid = try await kept.pid()
            kept.keeper.order(.leave)
            await kept.run.value
            let process = try #require(try RunningProcess.adopt(pid: pid))
            #expect(process.signal(SIGKILL))
            _ = await process.exit()
        }
    }

    // MARK: Swap

    @Test("a successor is the process from the moment the old one ends")
    func swap() async throws {
        var kept = Kept(ScriptedLink("exec sleep 1000"))
        kept.keeper.order(.start)
        let old = try await kept.pid()
        #expect(await kept.keeper.swapped() == .replaced(.makeBeforeBreak))
        _ = try await kept.pid(after: old)
        #expect(ProcessFacts.startTime(of: old) == nil)
        await kept.end()
    }

    @Test("a successor that ends before it is ready costs the old process nothing")
    func swapRolledBack() async throws {
        var kept = Kept(ScriptedLink("exec sleep 1000", succession: .waits, successor: "exit 3"))
        kept.keeper.order(.start)
        let old = try await kept.pid()
        guard case .rolledBack(let fault) = await kept.keeper.swapped() else { throw Session.Unexpected() }
        #expect(fault.code == "successorEnded" && fault.message.contains("exit code 3"))
        #expect(ProcessFacts.startTime(of: old) != nil)
        await kept.end()
    }

    @Test("a successor that somebody kills says nothing of its build", arguments: ["KILL", "TERM"])
    func killedSuccessor(signal: String) async throws {
        var kept = Kept(ScriptedLink("exec sleep 1000", succession: .waits, successor: "kill -\(signal) $$"))
        kept.keeper.order(.start)
        let old = try await kept.pid()
        guard case .notDone(let why) = await kept.keeper.swapped() else { throw Session.Unexpected() }
        #expect(why.contains("was killed from outside"))
        #expect(ProcessFacts.startTime(of: old) != nil)
        await kept.end()
    }

    @Test("a successor that took over and does not work is told of as that")
    func swapBroken() async throws {
        var kept = Kept(ScriptedLink("exec sleep 1000", succession: .neverWorks))
        kept.keeper.order(.start)
        let old = try await kept.pid()
        #expect(await kept.keeper.swapped() == .broken(ScriptedLink.fault))
        _ = try await kept.pid(after: old)
        await kept.end()
    }

    @Test("a swap that fails for no fault of the build is none, and its successor ends")
    func swapNotDone() async throws {
        var kept = Kept(ScriptedLink("exec sleep 1000", succession: .fails))
        kept.keeper.order(.start)
        let old = try await kept.pid()
        #expect(await kept.keeper.swapped() == .notDone("it does not. look"))
        #expect(ProcessFacts.startTime(of: old) != nil)
        await kept.end()
    }

    /// A swap that has begun, and nothing more.
    private func beginSwap(of kept: Kept) async -> AsyncStream<SwapEnd> {
        let (ends, answer) = AsyncStream.makeStream(of: SwapEnd.self)
        kept.keeper.order(.swap(answer))
        await kept.keeper.pulse()
        return ends
    }

    @Test("a process that ends before it has a successor is started anew, and its swap is over")
    func swapOutlived() async throws {
        var kept = Kept(ScriptedLink("exec sleep 1000", succession: .hangs))
        kept.keeper.order(.start)
        let old = try await kept.pid()
        let ends = await beginSwap(of: kept)
        try #require(try RunningProcess.adopt(pid: old)).signal(SIGKILL)
        #expect(await ends.first { _ in true } == .notDone("the worker ended by itself"))
        _ = try await kept.pid(after: old)
        await kept.end()
    }

    @Test("whoever waits for a swap is answered when its keeper ends, and afterwards")
    func swapOfRetired() async throws {
        var kept = Kept(ScriptedLink("exec sleep 1000", succession: .hangs))
        kept.keeper.order(.start)
        _ = try await kept.pid()
        let ends = await beginSwap(of: kept)
        await kept.end()
        guard case .notDone = await ends.first(where: { _ in true }) else { throw Session.Unexpected() }
        #expect(await kept.keeper.swapped() == .notDone("cvrd ends"))
    }
}
