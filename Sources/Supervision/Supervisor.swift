import Isolation
package import Messages
package import Recording
import Systemd
package import YAMLConfiguration

/// cvrd's table of workers: owns every keeper, applies configurations, answers what is known.
///
/// Nothing here blocks or waits for a worker, so `status` is always answered. Changes of the configuration happen one
/// after the other.
package actor Supervisor {
    /// What is done one after the other.
    enum PendingWork: Sendable {
        case change(ConfigurationChange, CheckedContinuation<Admin.Reloaded, any Error>)
        /// An instance of a media graph is to be in the table as it is here, or not any more.
        case instance(CameraName, GraphTable.Active?, AsyncStream<ChangeRefusal?>.Continuation)
        case rebalance
        /// Media graphs that could not be read in time are to be.
        case graphs
    }

    package nonisolated let events: EventLog
    package nonisolated let places: Places
    package nonisolated let spool: EventSpool
    nonisolated let surroundings: Surroundings
    package nonisolated let disks = DiskLooks()
    private nonisolated let store: ConfigurationStore
    private nonisolated let pending: AsyncStream<PendingWork>
    nonisolated let pendingInbox: AsyncStream<PendingWork>.Continuation
    private nonisolated let keepers: AsyncStream<Keeper>
    private nonisolated let keeperInbox: AsyncStream<Keeper>.Continuation
    nonisolated let hasBegun: AsyncStream<Void>
    private nonisolated let begun: AsyncStream<Void>.Continuation
    /// Ends once every configured camera was tried.
    nonisolated let allTried: AsyncStream<Void>
    nonisolated let tried: AsyncStream<Void>.Continuation
    let started = MonotonicTime.now

    /// What the files say.
    var written: BoxConfiguration
    /// That, and the cameras of active instances.
    var box: BoxConfiguration
    var budgets: [CameraName: Int64] = [:]
    var rates: [CameraName: Double] = [:]
    var rows: [CameraName: CameraRow] = [:]
    /// Nil until it was first started.
    var sync: KeptService<SyncLink, SyncInterface.Status>?
    /// Nil as long as nothing was to be served.
    var playback: KeptService<PlaybackLink, PlaybackInterface.Status>?
    /// Nil as long as the configuration had none.
    var gateway: KeptService<GatewayLink, GatewayInterface.Status>?
    /// What cvr-sync last knew of the caches: true enough while it is away.
    var caches: [String: SyncInterface.CacheState] = [:]
    /// The time service says that the clock is synchronised, which the kernel may not be asked.
    var isClockVouchedFor = false
    var isStopping = false
    /// Every configured camera is in the table.
    var isPopulated = false
    /// systemd was told that cvrd is ready.
    var isReady = false
    /// Those of the upgrade under way: they happen one after the other.
    var upgradeSteps: UpgradeSteps?
    /// An operator waits for an upgrade that has not begun.
    var isUpgradeAsked = false
    /// As it is on disk, where that could be written.
    var refusal: KeptBuilds.Refusal?
    /// What media graphs there are, and what of them runs.
    var graph = GraphTable()
    nonisolated let graphWork: AsyncStream<GraphWork>
    nonisolated let graphInbox: AsyncStream<GraphWork>.Continuation
    nonisolated let gates = GateInbox()
    let upgradeRequests: AsyncStream<Void>
    let upgradeInbox: AsyncStream<Void>.Continuation

    package init(_ box: BoxConfiguration, files: ConfigurationFiles, surroundings: Surroundings) {
        written = box
        self.box = box
        self.surroundings = surroundings
        places = Places(box)
        store = ConfigurationStore(files: files, places: places)
        let events = EventLog(logger: surroundings.logger)
        self.events = events
        spool = EventSpool(directory: places.graphEvents) { events.append($0) }
        (pending, pendingInbox) = AsyncStream.makeStream()
        (keepers, keeperInbox) = AsyncStream.makeStream()
        (hasBegun, begun) = AsyncStream.makeStream()
        (allTried, tried) = AsyncStream.makeStream()
        (graphWork, graphInbox) = AsyncStream.makeStream()
        (upgradeRequests, upgradeInbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Life

    /// Runs until `stop` or `leave` is done.
    package func run() async {
        await withDiscardingTaskGroup { changes in
            changes.addTask { await self.keepBalance() }
            changes.addTask { await self.keepBuilds() }
            changes.addTask { await self.keepAskingTime() }
            changes.addTask { await self.upgradeUnasked() }
            changes.addTask { await self.keepGraphs() }
            changes.addTask { await self.keepGates() }
            changes.addTask {
                await self.begin()
                for await work in self.pending { await self.perform(work) }
            }
            await keep()
            await writeChronicles()
            // One that waits for a dead disk would keep us for ever.
            changes.cancelAll()
        }
    }

    private func keep() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.removeStrays() }
            group.addTask { await self.endStrayPlayback() }
            group.addTask { await self.endStrayGateway() }
            for await keeper in keepers { group.addTask { await keeper.run() } }
        }
    }

    private func begin() async {
        let path = places.bitRates
        async let word = Self.isClockVouchedFor(within: Self.clockPatience)
        async let known = offPool(atMost: .seconds(5)) { BitRateFile.read(path) }
        // A disk that stands still keeps no camera of a file waiting for media graphs.
        await loadGraphs(within: surroundings.graphPatience)
        rates = await known ?? [:]
        box = withInstances(written)
        budgets = await budgets(of: box)
        isClockVouchedFor = await word
        await recallRefusal()
        startSync()
        await applyPlayback()
        await applyGateway()
        // Also when cvrd was told to stop meanwhile: what an earlier one left is found, and stopped.
        for camera in box.cameras.values.sorted(by: { $0.name < $1.name }) { add(camera) }
        isPopulated = true
        if !graph.isLoaded { pendingInbox.yield(.graphs) }
        noteTries()
        begun.finish()
        await tellOfRefusal()
    }

    /// Stops cvr-playback and every worker, then cvr-sync after its last pass (stop contract, design §5).
    package func stop() async {
        guard !isStopping else { return hurry() }
        isStopping = true
        pendingInbox.finish()
        graphInbox.finish()
        events.append("stopping", "cvrd was told to stop")
        surroundings.systemd.tell(.stopping, .status("stopping: closing recordings"), .needs(.seconds(20)))
        // What an earlier cvrd left is stopped too: it must be in the table first.
        for await _ in hasBegun {}
        // First, since nothing is lost by it; nobody waits for it before the recordings are closed.
        playback?.keeper.order(.retire(.stopped))
        gateway?.keeper.order(.retire(.stopped))
        for row in rows.values { row.keeper.order(.retire(.stopped)) }
        for row in rows.values { await row.keeper.wait() }
        surroundings.systemd.tell(.status("stopping: storing what was recorded last"), .needs(.seconds(25)))
        sync?.keeper.order(.retire(.stopped))
        await sync?.keeper.wait()
        await playback?.keeper.wait()
        await gateway?.keeper.wait()
        keeperInbox.finish()
        // Last: what the last pass stored is asked for until cvr-sync is gone.
        gates.inbox.finish()
    }

    /// Ends without touching any process: the next cvrd takes them over.
    package func leave() async {
        isStopping = true
        surroundings.systemd.tell(.stopping, .status("leaving the workers to the next cvrd"), .needs(.seconds(15)))
        pendingInbox.finish()
        graphInbox.finish()
        for await _ in hasBegun {}
        let all = rows.values.map(\.keeper) + [sync?.keeper, playback?.keeper, gateway?.keeper].compactMap(\.self)
        for keeper in all { keeper.order(.leave) }
        for keeper in all { await keeper.wait() }
        keeperInbox.finish()
        gates.inbox.finish()
    }

    /// A second signal.
    private func hurry() {
        for row in rows.values { row.keeper.order(.hurry) }
        sync?.keeper.order(.hurry)
        playback?.keeper.order(.hurry)
        gateway?.keeper.order(.hurry)
    }

    /// Runs the keeper until the table ends.
    func keep(_ keeper: Keeper) { keeperInbox.yield(keeper) }

    // MARK: Changes

    /// Makes a change and applies it; returns when it is in force.
    package nonisolated func change(_ change: ConfigurationChange) async throws -> Admin.Reloaded {
        try await withCheckedThrowingContinuation { continuation in
            let result = pendingInbox.yield(.change(change, continuation))
            if case .terminated = result {
                continuation.resume(throwing: ChangeRefusal.refused("cvrd is stopping", nextStep: "Start it again"))
            }
        }
    }

    /// Stops a camera's worker and starts another; returns when the old one has ended, or cannot be ended.
    package func restart(_ name: CameraName) async throws(ChangeRefusal) {
        guard let row = rows[name] else {
            throw .notFound("there is no camera \(name)", nextStep: "See `cvrctl cameras`")
        }
        guard row.configuration.enabled else {
            throw .refused(
                "\(name) is stopped",
                nextStep: graph.active[name].map {
                    "Run `cvrctl graph instance activate \($0.instance)` once it is Inactive"
                }
                    ?? "Run `cvrctl camera start \(name)`")
        }
        row.keeper.order(.restart(.stopped))
        await row.keeper.settled()
    }

    private func perform(_ work: PendingWork) async {
        let (change, answer): (ConfigurationChange, CheckedContinuation<Admin.Reloaded, any Error>)
        switch work {
        case .rebalance: return await rebalance()
        case .graphs: return await recallGraphs()
        case .instance(let name, let active, let answer): return _ = answer.yield(await put(active, name))
        case .change(let wish, let continuation): (change, answer) = (wish, continuation)
        }
        guard case .reload = change, isReady else { return await perform(change, for: answer) }
        surroundings.systemd.tell(.reloading)
        await perform(change, for: answer)
        surroundings.systemd.tell(.ready)
    }

    private func perform(
        _ change: ConfigurationChange, for answer: CheckedContinuation<Admin.Reloaded, any Error>
    ) async {
        do {
            try refuseInstances(change)
            let (store, written) = (store, written)
            let made = try await offPool { try store.make(change, running: written) }
            let (box, taken) = withoutTaken(made.box)
            if !change.isReload, let refusal = taken.values.first { throw refusal }
            self.written = box
            follow(box.usual)
            if let leftover = made.leftover { events.append("credentialLeft", leftover) }
            var reloaded = await apply(withInstances(box))
            if change.isReload {
                let refused = taken.mapValues(Self.explain).merging(lostFolders) { taken, _ in taken }
                    .sorted { $0.key < $1.key }
                for (name, words) in refused { events.append("configurationRefused", camera: name, words) }
                reloaded.refused = refused.map(\.value)
                await recallGraphs()
            }
            if case .enable(let name, false) = change, rows[name]?.kept?.pid != nil {
                throw ChangeRefusal.failed(
                    "the worker of \(name) does not end", nextStep: "Check the disk that it waits for (dmesg, smartctl)"
                )
            }
            answer.resume(returning: reloaded)
        } catch {
            if case .reload = change { events.append("configurationRefused", Self.explain(error)) }
            answer.resume(throwing: error)
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
    ///
    /// With `instance` no other camera's change is waited for or asked for anew, nor that one's stop.
    @discardableResult
    func apply(_ new: BoxConfiguration, for instance: CameraName? = nil) async -> Admin.Reloaded {
        let old = box
        let budgets = await budgets(of: new)
        guard !isStopping else { return Admin.Reloaded(added: [], removed: [], changed: []) }
        box = new
        take(budgets, for: instance)
        let removed = old.cameras.keys.filter { new.cameras[$0] == nil }.sorted()
        let retired = removed.compactMap { rows.removeValue(forKey: $0)?.keeper }
        for keeper in retired { keeper.order(.retire(.stopped)) }
        let touched = new.cameras.values.filter { instance == nil || $0.name == instance }
        let stopped = instance == nil ? touched.filter { !$0.enabled }.compactMap { rows[$0.name]?.keeper } : []
        var (added, changed): ([CameraName], [CameraName]) = ([], [])
        for camera in touched.sorted(by: { $0.name < $1.name }) {
            if rows[camera.name] == nil {
                add(camera)
                added.append(camera.name)
            } else if await update(camera) {
                changed.append(camera.name)
            }
        }
        for keeper in stopped { await keeper.settled() }
        for keeper in retired { await keeper.wait() }
        await forget(removed)
        await sync?.link.take(syncConfiguration, storeSecrets)
        await applyPlayback()
        await applyGateway()
        showCameras()
        for name in added { events.append("cameraAdded", camera: name, "added") }
        for name in removed {
            events.append("cameraRemoved", camera: name, "removed; its footage stays under its retention")
        }
        for name in removed { noteRemoval(of: name) }
        guard instance == nil else { return Admin.Reloaded(added: [], removed: [], changed: []) }
        let detail = "added \(added.count), removed \(removed.count), changed \(changed.count)"
        events.append("configurationReloaded", detail)
        return Admin.Reloaded(
            added: added.map(\.text), removed: removed.map(\.text), changed: changed.map(\.text))
    }

    /// The others are told of their shares when these are moved.
    private func take(_ new: [CameraName: Int64], for instance: CameraName?) {
        guard let instance else { return budgets = new }
        budgets[instance] = new[instance]
        pendingInbox.yield(.rebalance)
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
            events.append("credentialRefused", camera: camera.name, "\(error)")
        }
        // A start also after a refusal: the operator has acted.
        row.keeper.order(camera.enabled ? .start : .stop(.stopped))
        return isDifferent
    }

    func plan(_ camera: CameraConfiguration) -> WorkerLink.Plan {
        WorkerLink.Plan(
            camera: camera, cacheBudgetBytes: budgets[camera.name] ?? 0, trustsClock: trustsClock)
    }

    // MARK: Rows

    private func add(_ camera: CameraConfiguration) {
        let name = camera.name
        let installed = surroundings.programs.ingest
        let link = WorkerLink(
            plan(camera), places: places, executable: { [weak self] in await self?.ingestProgram() ?? installed },
            credentials: credentials
        ) { [weak self] in await self?.worker(name, tells: $0) }
        let keeper = Keeper(link) { [weak self] in await self?.keeper(of: name, reports: $0) }
        let bitRate = BitRateMean(patience: surroundings.ratePatience, remembered: rates[name])
        var row = CameraRow(configuration: camera, link: link, keeper: keeper, bitRate: bitRate)
        row.budget = budgets[name] ?? 0
        rows[name] = row
        keeperInbox.yield(keeper)
        // A change that is cut short by the end of cvrd: its cameras must end too.
        keeper.order(isStopping ? .retire(.stopped) : camera.enabled ? .start : .stop(.stopped))
    }

    private func startSync() {
        let link = SyncLink(
            syncConfiguration, places: places, executable: surroundings.programs.sync, secrets: storeSecrets
        ) { [weak self] in await self?.sync(said: $0) }
        let keeper = Keeper(link) { [weak self] in await self?.syncKeeper(reports: $0) }
        sync = KeptService(link: link, keeper: keeper)
        keeperInbox.yield(keeper)
        keeper.order(.start)
    }
}
