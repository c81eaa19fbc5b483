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
    private struct Halves {
        var cache: CacheKeeper
        var store: StoreKeeper
        var work: Workspace
    }

    package nonisolated let events: EventLog
    private let log: Logger
    private let progress = Progress()
    private let stop = StopSwitch()
    private let clock: SyncClock
    private var lock: (path: String, held: ProcessLock)?
    private var halves: Halves?
    private var waiters: [CheckedContinuation<SyncInterface.PassReport, any Error>] = []
    private var rebuildWaiters: [CheckedContinuation<Void, Never>] = []
    private var sleeper: Task<Void, any Error>?
    private var nextPass = MonotonicTime(microseconds: 0)
    private var isFinishing = false

    package init(log: Logger, clock: SyncClock = .system) {
        self.log = log
        self.clock = clock
        events = EventLog { event in
            log.notice("\(event.type)", metadata: ["camera": "\(event.camera ?? "-")", "detail": "\(event.detail)"])
        }
    }

    /// Runs until the process is told to end; the object that is under way is finished first.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.keepCaches() }
            group.addTask { await self.keepStore() }
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
    package func configure(_ settings: SyncSettings) async throws {
        if lock?.path != settings.statePath {
            lock = (settings.statePath, try ProcessLock(settings.statePath + "/sync.lock"))
        }
        if let halves, halves.work.settings.statePath == settings.statePath,
            halves.work.settings.origin == settings.origin
        {
            var work = halves.work
            work.settings = settings
            await use(work)
        } else {
            let stop = stop
            let step: Workspace.Step = { name in
                Failpoint.reach(name)
                if stop.isOn, name.description == "upload.chunk" { throw CancellationError() }
            }
            let catalog = try openCatalog(settings)
            await use(
                Workspace(
                    settings: settings, catalog: catalog, store: FileStore(root: settings.storePath, step: step),
                    clock: clock, events: events, step: step))
        }
        nextPass = clock.monotonic()
        wake()
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
            self.halves = Halves(cache: halves.cache, store: halves.store, work: work)
            await halves.cache.configure(work)
        } else {
            halves = Halves(
                cache: CacheKeeper(work: work, progress: progress),
                store: StoreKeeper(progress: progress, stop: stop), work: work)
        }
    }

    /// A pass over all caches, now; returns what it did.
    package func passNow() async throws -> SyncInterface.PassReport {
        _ = try configured()
        guard !stop.isOn else { return SyncInterface.PassReport(uploaded: 0, failed: 0) }
        return try await withCheckedThrowingContinuation { continuation in
            waiters.append(continuation)
            wake()
        }
    }

    /// One last pass of at most `limit`, over everything that has closed.
    package func lastPass(limit: Duration) async throws -> Int64 {
        guard halves != nil else { return 0 }
        stop.set(at: .now + limit)
        return try await passNow().uploaded
    }

    /// A camera closed a segment: its budget is looked at, and a pass that is due begins.
    package func segmentClosed(_ camera: CameraName) async {
        wake()
        do { try await halves?.cache.keepBudget(camera) } catch { await failed(error) }
    }

    package func status() async throws -> SyncInterface.Status {
        let numbers = progress.current
        let caches = try await halves?.cache.caches() ?? []
        return SyncInterface.Status(
            state: numbers.isRunning ? "running" : "idle", writes: numbers.writes, retries: numbers.retries,
            lag: try await halves?.cache.lag() ?? 0, breaker: numbers.breaker.state.rawValue,
            lastError: numbers.lastError, caches: caches)
    }

    /// Waits for a new catalog to be rebuilt, unless the store is away: then it says what the caches know.
    package func answers(_ camera: CameraName) async throws -> Answers {
        let halves = try configured()
        if try !Rebuild.isDone(halves.work.catalog), progress.current.breaker.state == .closed, !stop.isOn {
            await withCheckedContinuation { rebuildWaiters.append($0) }
        }
        return try await halves.cache.answers(camera)
    }

    private func configured() throws(SyncError) -> Halves {
        guard let halves, !isFinishing else {
            throw SyncError(.notConfigured, "cvr-sync has no configuration yet", nextStep: "ask again in a moment")
        }
        return halves
    }
}

extension SyncService {
    private func keepCaches() async {
        while !Task.isCancelled, !isFinishing {
            do { try await halves?.cache.tick() } catch { await failed(error) }
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func keepStore() async {
        while !Task.isCancelled, !stop.isOn {
            await sleepUntilDue()
            guard let halves, !stop.isOn, !waiters.isEmpty || clock.monotonic() >= nextPass else { continue }
            let asked = waiters
            waiters = []
            progress.update { $0.isRunning = true }
            let result = await pass(halves, isAsked: !asked.isEmpty)
            progress.update { $0.isRunning = false }
            for waiter in asked { waiter.resume(with: result) }
        }
        for waiter in waiters { waiter.resume(returning: SyncInterface.PassReport(uploaded: 0, failed: 0)) }
        waiters = []
        endRebuildWait()
        // `run` ends with the first of its loops: after a last pass its answer must still go out.
        nextPass = MonotonicTime(microseconds: .max)
        while !Task.isCancelled, !isFinishing { await sleepUntilDue() }
    }

    private func pass(_ halves: Halves, isAsked: Bool) async -> Result<SyncInterface.PassReport, any Error> {
        nextPass = clock.monotonic() + halves.work.settings.period
        do {
            defer { endRebuildWait() }
            try await halves.cache.surveyAll()
            try await halves.store.rebuild(halves.work)
            endRebuildWait()
            let report = try await halves.store.pass(halves.work, isAsked: isAsked)
            if let retryAt = progress.current.breaker.retryAt { nextPass = retryAt }
            return .success(report)
        } catch {
            await failed(error)
            return .failure(SyncError(error))
        }
    }

    /// Where an error stops travelling: logged, shown, and a damaged catalog replaced (I6).
    private func failed(_ error: any Error) async {
        let fault = SyncError(error).fault
        let isNew = progress.update { numbers in
            defer { numbers.lastError = fault }
            return numbers.lastError != fault
        }
        if isNew { log.error("\(error)") }
        guard let damage = error as? CatalogError, damage.isCorrupt, var work = halves?.work else { return }
        do {
            work.catalog = try CatalogFile(settings: work.settings, events: events, clock: clock).replace(
                because: damage)
            await use(work)
        } catch {
            log.error("\(error)")
        }
    }

    private func endRebuildWait() {
        for waiter in rebuildWaiters { waiter.resume() }
        rebuildWaiters = []
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

    private func wake() { sleeper?.cancel() }
}
