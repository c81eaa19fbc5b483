import Catalog
package import Logging
package import Messages
import ObjectStore
package import Recording
import SegmentStore
import ServiceLifecycle

/// cvr-sync as a service: takes its configuration, runs its two halves, ends when told.
///
/// Level-triggered: every pass looks at all caches. Messages only say when; losing one loses nothing but time.
package actor SyncService: Service {
    struct Halves {
        var cache: CacheKeeper
        var store: StoreKeeper
        var files: FileKeeper
        var work: Workspace
    }

    package nonisolated let events: EventLog
    private let log: Logger
    let progress: Progress
    let stop = StopSwitch()
    let clock: SyncClock
    let pace: Pace
    let sandbox: SyncSandbox?
    let holds = HoldKeeper()
    let auditor: Auditor
    /// Why it ends, when what it is to work on is out of its reach.
    package private(set) var outdated: String?
    private var lock: (path: String, held: ProcessLock)?
    var halves: Halves?
    private var waiters: [CheckedContinuation<SyncInterface.PassReport, any Error>] = []
    var passWaiters: [CheckedContinuation<Void, Never>] = []
    private var sleeper: Task<Void, any Error>?
    var nextPass = MonotonicTime(microseconds: 0)
    private var surveyedAt = MonotonicTime(microseconds: 0)
    var isFinishing = false
    /// Ends the pass that is under way; nil once it was told that the next one begins with a survey.
    private var passLimit: StopSwitch?
    private var isPassAsked = false
    /// The last pass ended with its time: what waits is known, and the next one goes on with it.
    private var isBehind = false

    package init(log: Logger, clock: SyncClock = .system, sandbox: SyncSandbox? = nil) {
        self.log = log
        self.clock = clock
        pace = Pace(clock: clock)
        self.sandbox = sandbox
        progress = Progress { log.error("\($0)") }
        auditor = Auditor(progress: progress)
        events = EventLog { event in
            log.notice("\(event.type)", metadata: ["camera": "\(event.camera ?? "-")", "detail": "\(event.detail)"])
        }
    }

    /// Runs until the process is told to end; the object that is under way is finished first.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.keepCaches() }
            group.addTask { await self.keepStore() }
            group.addTask { await self.keepFiles() }
            group.addTask { try await gracefulShutdown() }
            try await group.next()
            stop.set(at: .now)
            wake()
            group.cancelAll()
        }
    }

    /// Ends `run` once a last answer is out.
    package func finish() {
        isFinishing = true
        stop.set(at: .now)
        wake()
    }
}

extension SyncService {
    /// Takes over a configuration; another site, cache, state or store is another catalog.
    ///
    /// One that a sandboxed process cannot take over ends it: the next one begins with it.
    package func configure(_ settings: SyncSettings) async throws {
        guard sandbox?.covers(settings) ?? true else {
            endOutdated("other places")
            throw CancellationError()
        }
        if lock?.path != settings.statePath {
            try settings.folder.prepare()
            let path = settings.folder.path + "/lock"
            lock = (settings.statePath, try ProcessLock(path, line: SyncProcess.holder.line))
        }
        pace.follow(settings.bandwidth)
        if let halves, halves.work.settings.statePath == settings.statePath,
            halves.work.settings.origin == settings.origin
        {
            var work = halves.work
            if work.settings.storeAccess != settings.storeAccess {
                work.store = try open(settings, work.billed, step: work.step)
                work.watch.forget()
                progress.update { $0.forgetStore() }
            }
            work.settings = settings
            await use(work)
            passSoon()
        } else {
            let (catalog, step) = (try openCatalog(settings), step)
            let billed = BilledWrites(settings, clock: clock)
            let store = try open(settings, billed, step: step)
            progress.update { $0.forgetStore() }
            try readPause(settings)
            await use(
                Workspace(
                    settings: settings, catalog: catalog, store: store, billed: billed, clock: clock, events: events,
                    pace: pace, step: step))
            passSoon()
            var random = SystemRandomNumberGenerator()
            if !store.canVanish { nextPass = nextPass + settings.phase(&random) }
        }
    }

    /// A copy that is under way ends with the process.
    private var step: Workspace.Step {
        let stop = stop
        return { name in
            Failpoint.reach(name)
            if stop.isOn, name.description == "upload.chunk" { throw CancellationError() }
        }
    }

    private func open(
        _ settings: SyncSettings, _ billed: BilledWrites, step: @escaping Workspace.Step
    ) throws(SyncError) -> any ObjectStore {
        try settings.openStore(
            billed: billed, clock: clock, pace: pace, isStopping: { [stop] in stop.isOn }, step: step)
    }

    func endOutdated(_ why: String) {
        if outdated == nil { log.notice("\(why); this process asks to be restarted") }
        outdated = outdated ?? why
        finish()
    }

    private func openCatalog(_ settings: SyncSettings) throws(CatalogError) -> Catalog {
        let file = CatalogFile(settings: settings, events: events, clock: clock)
        do {
            return try file.open()
        } catch {
            guard error.isNoSpace else { throw error }
            for ballast in Ballast.all(settings) { ballast.release() }
            return try file.open()
        }
    }

    private func use(_ work: Workspace) async {
        if let halves {
            // What still fails with the former catalog then finds it replaced.
            await halves.cache.configure(work)
            self.halves = Halves(cache: halves.cache, store: halves.store, files: halves.files, work: work)
        } else {
            halves = Halves(
                cache: CacheKeeper(work: work, progress: progress),
                store: StoreKeeper(progress: progress, stop: stop),
                files: FileKeeper(progress: progress, stop: stop), work: work)
        }
    }

    /// A pass over all caches, now; returns what it did.
    package func passNow() async throws -> SyncInterface.PassReport {
        let work = try configured().work
        guard !stop.isOn else { return SyncInterface.PassReport(uploaded: 0, failed: 0) }
        if let held = progress.current.hold(work.pace) { throw held }
        return try await withCheckedThrowingContinuation { continuation in
            waiters.append(continuation)
            // One that another operator waits for is not cut short for this one.
            if isPassAsked { wake() } else { passSoon() }
        }
    }

    /// One last pass of at most `limit`, over everything that has closed.
    package func lastPass(limit: Duration) async -> Int64 {
        guard let work = halves?.work else { return 0 }
        stop.set(at: .now + limit)
        passLimit?.set(at: .now)
        guard progress.current.hold(work.pace) == nil else { return 0 }
        // What went wrong was logged; what is left is uploaded after the next start.
        return (try? await passNow())?.uploaded ?? 0
    }

    /// Uploads nothing until told to go on, over restarts; the objects that are under way are finished.
    package func pause(_ isPaused: Bool) throws {
        let settings = try configured().work.settings
        try PauseFile(settings.folder).write(isPaused)
        progress.update { $0.isPaused = isPaused }
        passSoon()
    }

    private func readPause(_ settings: SyncSettings) throws {
        let isPaused = try PauseFile(settings.folder).read()
        progress.update { $0.isPaused = isPaused }
    }

    /// A camera closed a segment: its budget is looked at, and a pass that is due begins.
    package func segmentClosed(_ camera: CameraName) async {
        wake()
        guard let halves else { return }
        // The last of a camera that was removed or stopped: whoever did it may wait for that.
        if !halves.work.settings.isRecorded(camera) { passSoon() }
        do {
            // What a pass that is under way would else leave to the next one.
            if progress.current.isRunning { try await halves.cache.enterNews(camera) }
            try await halves.cache.keepBudget(camera)
        } catch { await failed(error, .caches, halves.work.catalog) }
    }

    func configured() throws(SyncError) -> Halves {
        guard let halves, !isFinishing else {
            throw SyncError(.notConfigured, "cvr-sync has no configuration yet", nextStep: "try again in a moment")
        }
        return halves
    }
}

extension SyncService {
    private func keepCaches() async {
        while !Task.isCancelled, !isFinishing {
            if let halves {
                do {
                    try await halves.cache.tick()
                    if progress.current.isRunning { try await halves.cache.enterNews() }
                    if try await halves.cache.enterRest() { passSoon() }
                    // A store that hangs holds the passes up, which survey otherwise, and a backlog lets them do without:
                    // what closes meanwhile must be known, or nothing of it could be let go for what follows (I7).
                    if clock.monotonic() - surveyedAt > halves.work.settings.period + .seconds(1) {
                        surveyedAt = clock.monotonic()
                        try await halves.cache.surveyAll(isStopping: { [stop] in stop.isOn })
                    }
                    progress.clear(.caches)
                } catch {
                    await failed(error, .caches, halves.work.catalog)
                }
            }
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func keepStore() async {
        while !Task.isCancelled, !stop.isOn {
            await sleepUntilDue()
            guard !stop.isOn, !waiters.isEmpty || clock.monotonic() >= nextPass else { continue }
            if sandbox?.isWithoutStore == true, let store = halves?.work.settings.store {
                progress.blame(.store, ObjectStoreError(silent: store))
            }
            if let sandbox, await halves?.store.isOutside(sandbox) == true {
                endOutdated("one of its directories is on another disk, or answers again")
                continue
            }
            let asked = waiters
            waiters = []
            isPassAsked = !asked.isEmpty
            progress.update { $0.isRunning = true }
            let result = await pass(isAsked: !asked.isEmpty)
            progress.update { $0.isRunning = false }
            isPassAsked = false
            for waiter in asked { waiter.resume(with: result) }
        }
        let restart = SyncError(.notConfigured, "cvr-sync is being restarted", nextStep: "try again in a moment")
        let none = SyncInterface.PassReport(uploaded: 0, failed: 0)
        for waiter in waiters { waiter.resume(with: outdated == nil ? .success(none) : .failure(restart)) }
        waiters = []
        endPassWait()
        // `run` ends with the first of its loops: after a last pass its answer must still go out.
        nextPass = MonotonicTime(microseconds: .max)
        while !Task.isCancelled, !isFinishing { await sleepUntilDue() }
    }

    /// Surveys and uploads for about a period; what is left is the next pass's.
    ///
    /// While a backlog waits the caches are surveyed beside the passes: no survey stands in the way of uploads.
    private func pass(isAsked: Bool) async -> Result<SyncInterface.PassReport, any Error> {
        guard let surveyed = halves else { return .success(SyncInterface.PassReport(uploaded: 0, failed: 0)) }
        defer { endPassWait() }
        nextPass = clock.monotonic() + surveyed.work.settings.period
        let limit = StopSwitch()
        passLimit = limit
        do {
            if isAsked || !isBehind {
                surveyedAt = clock.monotonic()
                try await surveyed.cache.surveyAll(isStopping: { [stop] in stop.isOn })
            }
            isBehind = false
            // Uploads and retention go by the settings in force; a change of them ends the pass.
            let halves = self.halves ?? surveyed
            guard progress.current.hold(pace) == nil else {
                return .success(SyncInterface.PassReport(uploaded: 0, failed: 0))
            }
            limit.set(at: .now + .microseconds(halves.work.settings.period.microseconds))
            let report = try await halves.store.pass(halves.work, isAsked: isAsked, limit: limit)
            isBehind = limit.isOn && passLimit != nil
            // Never at once: what ended this pass may end the next one as soon.
            let soon = clock.monotonic() + .seconds(1)
            if let retryAt = progress.current.breaker.retryAt {
                nextPass = max(retryAt, soon)
            } else if try !Rebuild.isDone(halves.work.catalog) {
                nextPass = soon
            }
            progress.clear(.passes)
            return .success(report)
        } catch let error as ObjectStoreError {
            nextPass = progress.current.breaker.retryAt ?? nextPass
            return .failure(SyncError(error))
        } catch {
            await failed(error, .passes, surveyed.work.catalog)
            return .failure(SyncError(error))
        }
    }

    /// Where an error stops travelling: shown, logged, and a damaged catalog replaced (I6), once.
    func failed(_ error: any Error, _ origin: Progress.Origin, _ catalog: Catalog) async {
        progress.blame(origin, error)
        guard let damage = error as? CatalogError, damage.isCorrupt, var work = halves?.work,
            work.catalog === catalog
        else { return }
        do {
            work.catalog = try CatalogFile(settings: work.settings, events: events, clock: clock).replace(
                because: damage)
            await use(work)
            passSoon()
        } catch {
            progress.blame(origin, error)
        }
    }

    /// Ends the pass that is under way, and begins another at once.
    func passSoon() {
        nextPass = clock.monotonic()
        passLimit?.set(at: .now)
        passLimit = nil
        wake()
    }

    private func endPassWait() {
        for waiter in passWaiters { waiter.resume() }
        passWaiters = []
    }

    private func sleepUntilDue() async {
        guard waiters.isEmpty, !isFinishing else { return }
        let longest = TimeSpan.seconds(3600)
        let wait = halves == nil ? longest : min(longest, max(.milliseconds(10), nextPass - clock.monotonic()))
        // The sleep is a task of its own, so that waking it is cancelling it.
        let sleep = Task { try await Task.sleep(for: .microseconds(wait.microseconds)) }
        sleeper = sleep
        await withTaskCancellationHandler {
            _ = await sleep.result
        } onCancel: {
            sleep.cancel()
        }
    }

    func wake() { sleeper?.cancel() }
}
