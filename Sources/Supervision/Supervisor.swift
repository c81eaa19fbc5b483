package import Configuration
import Isolation
package import Logging
package import Messages
package import Recording

/// cvrd's table of workers: owns every keeper, applies configurations, answers what is known.
///
/// Nothing here blocks or waits for a worker, so `status` is always answered. Changes of the configuration happen one
/// after the other.
package actor Supervisor {
    /// What a start needs that is not in the configuration.
    package struct Surroundings: Sendable {
        var version: String
        var programs: Programs
        var credentialsDirectory: String?
        var logger: Logger

        package init(version: String, programs: Programs, credentialsDirectory: String?, logger: Logger) {
            self.version = version
            self.programs = programs
            self.credentialsDirectory = credentialsDirectory
            self.logger = logger
        }
    }

    private struct PendingChange: Sendable {
        var change: ConfigurationChange
        var answer: CheckedContinuation<Admin.Reloaded, any Error>
    }

    package nonisolated let events: EventLog
    package nonisolated let places: Places
    private nonisolated let surroundings: Surroundings
    private nonisolated let store: ConfigurationStore
    private nonisolated let pending: AsyncStream<PendingChange>
    private nonisolated let pendingInbox: AsyncStream<PendingChange>.Continuation
    private nonisolated let keepers: AsyncStream<Keeper>
    private nonisolated let keeperInbox: AsyncStream<Keeper>.Continuation
    private nonisolated let hasBegun: AsyncStream<Void>
    private nonisolated let begun: AsyncStream<Void>.Continuation
    private let started = MonotonicTime.now

    private var box: BoxConfiguration
    private var budgets: [CameraName: Int64] = [:]
    private var rows: [CameraName: CameraRow] = [:]
    private var syncLink: SyncLink?
    private var syncKeeper: Keeper?
    private var syncKept = KeeperStatus()
    private var syncStatus: SyncInterface.Status?
    private var isStopping = false

    package init(_ box: BoxConfiguration, files: ConfigurationFiles, surroundings: Surroundings) {
        self.box = box
        self.surroundings = surroundings
        places = Places(box)
        store = ConfigurationStore(files: files, places: places)
        events = EventLog(logger: surroundings.logger)
        (pending, pendingInbox) = AsyncStream.makeStream()
        (keepers, keeperInbox) = AsyncStream.makeStream()
        (hasBegun, begun) = AsyncStream.makeStream()
    }

    // MARK: Life

    /// Runs until `stop` or `leave` is done.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.removeStrays() }
            group.addTask {
                await self.begin()
                for await change in self.pending { await self.perform(change) }
            }
            for await keeper in keepers { group.addTask { await keeper.run() } }
        }
    }

    private func begin() async {
        budgets = await Self.budgets(box)
        startSync()
        // Also when cvrd was told to stop meanwhile: what an earlier one left is found, and stopped.
        for camera in box.cameras.values.sorted(by: { $0.name < $1.name }) { add(camera) }
        begun.finish()
    }

    /// Stops every worker, then cvr-sync after its last pass (stop contract, design §5).
    package func stop() async {
        guard !isStopping else { return hurry() }
        isStopping = true
        pendingInbox.finish()
        events.append("stopping", "cvrd was told to stop")
        // What an earlier cvrd left is stopped too: it must be in the table first.
        for await _ in hasBegun {}
        for row in rows.values { row.keeper.order(.retire(.stopped)) }
        for row in rows.values { await row.keeper.wait() }
        syncKeeper?.order(.retire(.stopped))
        await syncKeeper?.wait()
        keeperInbox.finish()
    }

    /// Ends without touching workers and cvr-sync: the next cvrd takes them over.
    package func leave() async {
        isStopping = true
        pendingInbox.finish()
        for await _ in hasBegun {}
        let all = rows.values.map(\.keeper) + [syncKeeper].compactMap(\.self)
        for keeper in all { keeper.order(.leave) }
        for keeper in all { await keeper.wait() }
        keeperInbox.finish()
    }

    /// A second signal.
    private func hurry() {
        for row in rows.values { row.keeper.order(.hurry) }
        syncKeeper?.order(.hurry)
    }

    // MARK: Changes

    /// Makes a change and applies it; returns when it is in force.
    package nonisolated func change(_ change: ConfigurationChange) async throws -> Admin.Reloaded {
        try await withCheckedThrowingContinuation { continuation in
            let result = pendingInbox.yield(PendingChange(change: change, answer: continuation))
            if case .terminated = result {
                continuation.resume(throwing: ChangeRefusal.refused("cvrd is stopping", nextStep: "Start it again"))
            }
        }
    }

    /// Stops a camera's worker and starts it again.
    package func restart(_ name: CameraName) throws(ChangeRefusal) {
        guard let row = rows[name] else {
            throw .notFound("there is no camera \(name)", nextStep: "See `cvrctl cameras`")
        }
        guard row.configuration.enabled else {
            throw .refused("\(name) is stopped", nextStep: "Run `cvrctl camera start \(name)`")
        }
        row.keeper.order(.restart(.stopped))
    }

    private func perform(_ pending: PendingChange) async {
        do {
            let (store, change) = (store, pending.change)
            let new = try await offPool { try store.make(change) }
            pending.answer.resume(returning: await apply(new))
        } catch {
            if case .reload = pending.change {
                events.append("configurationRefused", level: .error, Self.explain(error))
            }
            pending.answer.resume(throwing: error)
        }
    }

    private static func explain(_ error: any Error) -> String {
        switch error as? ChangeRefusal {
        case .notFound(let message, let nextStep), .invalid(let message, let nextStep),
            .refused(let message, let nextStep), .failed(let message, let nextStep):
            "\(message). \(nextStep)"
        case nil: "\(error)"
        }
    }

    /// Goes from one configuration to the next, touching only the cameras that differ.
    private func apply(_ new: BoxConfiguration) async -> Admin.Reloaded {
        let old = box
        let budgets = await Self.budgets(new)
        guard !isStopping else { return Admin.Reloaded(added: [], removed: [], changed: []) }
        box = new
        self.budgets = budgets
        let removed = old.cameras.keys.filter { new.cameras[$0] == nil }.sorted()
        let retired = removed.compactMap { rows.removeValue(forKey: $0)?.keeper }
        for keeper in retired { keeper.order(.retire(.stopped)) }
        var (added, changed): ([CameraName], [CameraName]) = ([], [])
        for camera in new.cameras.values.sorted(by: { $0.name < $1.name }) {
            if rows[camera.name] == nil {
                add(camera)
                added.append(camera.name)
            } else if await update(camera) {
                changed.append(camera.name)
            }
        }
        for keeper in retired { await keeper.wait() }
        await syncLink?.take(SyncInterface.Configuration(new, places, budgets: budgets))
        for name in added { events.append("cameraAdded", camera: name, "added") }
        for name in removed {
            events.append("cameraRemoved", camera: name, "removed; its footage stays under its retention")
        }
        let detail = "added \(added.count), removed \(removed.count), changed \(changed.count)"
        events.append("configurationReloaded", detail)
        return Admin.Reloaded(
            added: added.map(\.text), removed: removed.map(\.text), changed: changed.map(\.text))
    }

    /// True when anything about the camera, its password included, is different.
    private func update(_ camera: CameraConfiguration) async -> Bool {
        guard let row = rows[camera.name] else { return false }
        rows[camera.name]?.configuration = camera
        rows[camera.name]?.budget = budgets[camera.name] ?? 0
        var isDifferent = camera != row.configuration
        do {
            if try await row.link.take(plan(camera)) { isDifferent = true }
        } catch {
            events.append("credentialRefused", camera: camera.name, level: .error, "\(error)")
        }
        // A start also after a refusal: the operator has acted.
        row.keeper.order(camera.enabled ? .start : .stop(.stopped))
        return isDifferent
    }

    private func plan(_ camera: CameraConfiguration) -> WorkerLink.Plan {
        WorkerLink.Plan(
            camera: camera, cacheBudgetBytes: budgets[camera.name] ?? 0, trustsClock: box.trustsClock)
    }

    private static func budgets(_ box: BoxConfiguration) async -> [CameraName: Int64] {
        // Asking a file system for its size does not throw.
        (try? await offPool { CacheBudget.budgets(box) }) ?? [:]
    }

    // MARK: Rows

    private func add(_ camera: CameraConfiguration) {
        let name = camera.name
        let credentials = CredentialFile(
            systemDirectory: surroundings.credentialsDirectory, stateDirectory: places.credentials)
        let link = WorkerLink(
            plan(camera), places: places, executable: surroundings.programs.ingest, credentials: credentials
        ) { [weak self] in await self?.worker(name, said: $0) }
        let keeper = Keeper(link) { [weak self] in await self?.keeper(of: name, reports: $0) }
        var row = CameraRow(configuration: camera, link: link, keeper: keeper)
        row.budget = budgets[name] ?? 0
        rows[name] = row
        keeperInbox.yield(keeper)
        // A change that is cut short by the end of cvrd: its cameras must end too.
        keeper.order(isStopping ? .retire(.stopped) : camera.enabled ? .start : .stop(.stopped))
    }

    private func startSync() {
        let link = SyncLink(
            SyncInterface.Configuration(box, places, budgets: budgets), places: places,
            executable: surroundings.programs.sync
        ) { [weak self] in await self?.sync(said: $0) }
        let keeper = Keeper(link) { [weak self] in await self?.syncKeeper(reports: $0) }
        syncLink = link
        syncKeeper = keeper
        keeperInbox.yield(keeper)
        keeper.order(.start)
    }

    /// Ends workers whose camera is not configured any more.
    private func removeStrays() async {
        let (places, known) = (places, Set(box.cameras.keys))
        // A runtime directory that cannot be read holds no workers.
        let strays = try? await offPool { Strays.find(places, except: known) }
        await withDiscardingTaskGroup { group in
            for stray in strays ?? [] {
                events.append("workerRemoved", camera: stray.camera, "its camera is not configured any more")
                group.addTask { await Leftover.end(stray.process) }
            }
        }
    }

    private func keeper(of name: CameraName, reports report: Keeper.Report) {
        switch report {
        case .status(let status):
            if status.pid != rows[name]?.kept.pid { rows[name]?.progress = nil }
            rows[name]?.kept = status
            rows[name]?.refreshState()
        case .happened(let type, let detail, let isTrouble):
            events.append(type, camera: name, level: isTrouble ? .warning : .info, detail)
        }
    }

    private func syncKeeper(reports report: Keeper.Report) {
        switch report {
        case .status(let status):
            if status.pid != syncKept.pid { syncStatus = nil }
            syncKept = status
        case .happened(let type, let detail, let isTrouble):
            let name = type.hasPrefix("worker") ? "sync" + type.dropFirst("worker".count) : type
            events.append(name, level: isTrouble ? .warning : .info, detail)
        }
    }

    private func worker(_ name: CameraName, said message: IngestToSupervisor) async {
        switch message {
        case .hello: break
        case .progress(let progress):
            rows[name]?.progress = progress
            rows[name]?.progressAt = .now
            rows[name]?.refreshState()
        case .sessionStarted(let session, let time):
            events.append("sessionStarted", camera: name, at: time, "session \(session)")
        case .segmentClosed(let id, let start, let duration, let bytes):
            events.append(
                "segmentClosed", camera: name, level: .debug,
                "session \(id.session), segment \(id.counter), from \(start.rfc3339), \(duration.seconds) s, \(bytes) bytes"
            )
            await syncLink?.hint(name)
        case .gapOpened(let from, let reason, let detail):
            events.append(
                "gapOpened", camera: name, level: .warning, "\(reason.rawValue) since \(from.rfc3339): \(detail)")
        case .gapClosed(let from, let to, let reason):
            events.append("gapClosed", camera: name, "\(reason.rawValue) from \(from.rfc3339) to \(to.rfc3339)")
        case .event(let type, let time, let detail): events.append(type, camera: name, at: time, detail)
        }
    }

    private func sync(said news: SyncLink.News) {
        switch news {
        case .status(let status): syncStatus = status
        case .event(let event): events.append(event)
        }
    }

    // MARK: Answers

    package func status() -> Admin.Status {
        let caches = Dictionary((syncStatus?.caches ?? []).map { ($0.name, $0) }) { first, _ in first }
        for name in rows.keys { rows[name]?.refreshState() }
        return Admin.Status(
            version: surroundings.version, uptime: (MonotonicTime.now - started).seconds,
            cameras: rows.values.sorted { $0.configuration.name < $1.configuration.name }
                .map { $0.summary(caches[$0.configuration.name.text]) },
            sync: syncSummary)
    }

    package func cameras() -> Admin.Cameras {
        Admin.Cameras(
            cameras: rows.values.sorted { $0.configuration.name < $1.configuration.name }.map(\.listed))
    }

    var syncSummary: Admin.Sync {
        guard let syncStatus, let pid = syncKept.pid else {
            var away = Admin.Sync(state: "away")
            away.pid = syncKept.pid.map(Int64.init)
            away.lastError = syncKept.fault.map {
                Admin.Fault(code: $0.code, message: $0.message, nextStep: $0.nextStep)
            }
            return away
        }
        var summary = Admin.Sync(state: syncStatus.state)
        summary.pid = Int64(pid)
        summary.writes = syncStatus.writes
        summary.retries = syncStatus.retries
        summary.lag = syncStatus.lag
        summary.breaker = syncStatus.breaker
        summary.lastError = syncStatus.lastError
        return summary
    }
}
