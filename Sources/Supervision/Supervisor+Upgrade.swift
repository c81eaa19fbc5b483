import Glibc
import Logging
package import Messages
import Recording
import YAMLConfiguration

/// Replaces processes of another build than the installed one: workers one at a time (ARCHITECTURE, "Swap"), then
/// cvr-sync, cvr-playback and cvr-gateway.
///
/// The first worker is the canary: when its new one does not record, the others are left alone.
extension Supervisor {
    /// Workers that are taken over say hello at about the same time: one upgrade is for them all.
    private static let gathering = Duration.seconds(2)
    /// What runs says hello by then, or stands still.
    private static let greetingLimit = Duration.seconds(5)
    /// The old build, started again, records by then, or it is the camera that does not let it.
    private static let comparison = Duration.seconds(30)
    /// A new cvr-sync may have a catalog to bring up to date.
    private static let syncLimit = Duration.seconds(30)
    private static let playbackLimit = Duration.seconds(15)

    /// What came of one camera.
    private struct Attempt {
        var outcome: Admin.UpgradeStep.Outcome
        var detail: String
        /// Of the new build, which nobody else is to meet then.
        var fault: Fault?
    }

    // MARK: Asked or not

    /// Upgrades whatever needs it; its steps end with one that names no camera.
    ///
    /// Whoever asks while one is under way is told of that one.
    package func upgrade() throws(ChangeRefusal) -> AsyncThrowingStream<Admin.UpgradeStep, any Error> {
        guard !isStopping else { throw .refused("cvrd is stopping", nextStep: "Start it again") }
        var steps = upgradeSteps ?? UpgradeSteps()
        let followed = steps.follow()
        let isUnderWay = upgradeSteps != nil
        // One that began unasked tries a refused build only behind that.
        isUpgradeAsked = isUpgradeAsked || !steps.isAsked
        steps.isAsked = true
        upgradeSteps = steps
        // It goes on when whoever asked goes away: a swap is not to be cut short.
        if !isUnderWay { Task { await self.performUpgrade() } }
        return followed
    }

    /// A process said of which build it is: one of another than what would be started is to be replaced.
    func notice(build: String, of program: String) async {
        guard upgradeSteps == nil, let theirs = BuildIdentity.id(inName: build),
            let ours = await installedBuild(of: program), theirs != ours, !isRefused(ours)
        else { return }
        upgradeInbox.yield()
    }

    func upgradeUnasked() async {
        for await _ in upgradeRequests {
            // Cancelled: the next cvrd sees the same processes.
            guard (try? await Task.sleep(for: Self.gathering)) != nil else { return }
            guard upgradeSteps == nil, !isStopping else { continue }
            upgradeSteps = UpgradeSteps()
            await performUpgrade()
        }
    }

    // MARK: One upgrade

    private func performUpgrade() async {
        var refusal: ChangeRefusal?
        do throws(ChangeRefusal) {
            var last = try await replaceAll()
            while isUpgradeAsked { last = try await replaceAll() }
            upgradeSteps?.add(last)
        } catch {
            refusal = error
        }
        upgradeSteps?.finish(throwing: refusal)
        (upgradeSteps, isUpgradeAsked) = (nil, false)
    }

    /// Returns the last step.
    private func replaceAll() async throws(ChangeRefusal) -> Admin.UpgradeStep {
        if isUpgradeAsked { await pardon() }
        isUpgradeAsked = false
        await wait(atMost: Self.greetingLimit) { !self.rows.values.contains(where: \.isUnknown) }
        let installed = try await installedWorker()
        let (newSync, newPlayback) = (await newSyncBuild, await newPlaybackBuild)
        let hasWork = !outdated(by: installed).isEmpty || newSync != nil || newPlayback != nil
        if hasWork {
            events.append("upgradeStarted", Self.plan(outdated(by: installed).count, installed, newSync, newPlayback))
        }
        var attempts: [CameraName: Attempt] = [:]
        // Listed anew each time: one that said hello only now is not left behind.
        while attempts.values.allSatisfy({ $0.fault == nil }), !isStopping,
            let row = outdated(by: installed).first(where: { attempts[$0.configuration.name] == nil })
        {
            let attempt = await replace(row, by: installed)
            attempts[row.configuration.name] = attempt
            upgradeSteps?.add(Self.step(row, attempt))
        }
        for row in inOrder where row.isUnknown {
            let attempt = Attempt(outcome: .skipped, detail: "its worker does not say of which build it is")
            upgradeSteps?.add(Self.step(row, attempt))
        }
        guard !isStopping else {
            throw .failed("cvrd is stopping", nextStep: "Start it again; it goes on by itself")
        }
        var last = Self.summary(Array(attempts.values))
        last.detail += await upgradeServices(newSync, newPlayback)
        let hasFailed = attempts.values.contains { $0.fault != nil }
        if hasWork {
            let type = hasFailed ? "upgradeRolledBack" : "upgradeDone"
            events.append(type, level: hasFailed ? .warning : nil, last.detail)
        }
        return last
    }

    /// Says what came of it, as the end of a sentence.
    private func upgradeServices(_ newSync: String?, _ newPlayback: String?) async -> String {
        var said = ""
        // Asked again: it may have come to say only now of which build it is.
        if let build = await newSyncBuild ?? newSync {
            said += await restart(
                "cvr-sync", sync?.keeper, into: build, within: Self.syncLimit, event: "syncUpgraded"
            ) { sync?.build }
        }
        if let build = await newPlaybackBuild ?? newPlayback {
            said += await restart(
                "cvr-playback", playback?.keeper, into: build, within: Self.playbackLimit, event: "playbackUpgraded"
            ) { playback?.build }
        }
        // Nothing is lost by it, and nobody asks for it by itself: the next start takes the new one too.
        if let build = await newBuild(of: surroundings.programs.gateway, running: gateway?.build) {
            said += await restart(
                "cvr-gateway", gateway?.keeper, into: build, within: Self.playbackLimit, event: "gatewayUpgraded"
            ) { gateway?.build }
        }
        return said
    }

    private var newSyncBuild: String? {
        get async { await newBuild(of: surroundings.programs.sync, running: sync?.build) }
    }

    private var newPlaybackBuild: String? {
        get async { await newBuild(of: surroundings.programs.playback, running: playback?.build) }
    }

    /// The build id of the installed program, nil for one without; throws when nothing could be started from it.
    private func installedWorker() async throws(ChangeRefusal) -> String? {
        let path = surroundings.programs.ingest
        let found = await offPool(atMost: .seconds(2)) {
            guard access(path, X_OK) == 0 else { throw FileError("start", path, errno, nextStep: "install it again") }
            return BuildIdentity.id(at: path)
        }
        guard let found else {
            throw .failed("\(path) cannot be read or started", nextStep: "Install the release again")
        }
        return found
    }

    private func outdated(by installed: String?) -> [CameraRow] {
        isRefused(installed) ? [] : inOrder.filter { $0.isOutdated(by: installed) }
    }

    /// Recording cameras first, those that may lose something by it last.
    private var inOrder: [CameraRow] {
        let rank = { (row: CameraRow) in
            (row.allowsOneConnection ? 1 : 0, row.progress?.state == .recording ? 0 : 1, row.configuration.name)
        }
        return rows.values.sorted { rank($0) < rank($1) }
    }

    /// Looks again and again until it is so.
    func wait(atMost limit: Duration, until isSo: () -> Bool) async {
        let end = ContinuousClock.now + limit
        while !isSo(), !isStopping, ContinuousClock.now < end {
            // Cancelled: cvrd ends, and nothing is waited for.
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
        }
    }

    private static func plan(_ workers: Int, _ installed: String?, _ sync: String?, _ playback: String?) -> String {
        let parts = [
            workers > 0 ? "\(workers) workers to build \(installed ?? "unknown")" : nil,
            sync.map { "cvr-sync to build \($0)" }, playback.map { "cvr-playback to build \($0)" },
        ]
        return parts.compactMap(\.self).joined(separator: ", ")
    }

    private static func summary(_ attempts: [Attempt]) -> Admin.UpgradeStep {
        let replaced = attempts.filter { [.replaced, .replacedWithGap].contains($0.outcome) }.count
        let detail =
            attempts.isEmpty
            ? "every worker runs the installed build" : "\(replaced) of \(attempts.count) workers replaced"
        guard let fault = attempts.compactMap(\.fault).first else {
            return Admin.UpgradeStep(camera: nil, .done, detail)
        }
        return Admin.UpgradeStep(camera: nil, .rolledBack, "\(detail); \(fault.message). \(fault.nextStep)")
    }

    private static func step(_ row: CameraRow, _ attempt: Attempt) -> Admin.UpgradeStep {
        Admin.UpgradeStep(camera: row.configuration.name.text, attempt.outcome, attempt.detail)
    }

    // MARK: One worker

    private func replace(_ row: CameraRow, by installed: String?) async -> Attempt {
        let name = row.configuration.name
        let before = row.build.flatMap(BuildIdentity.id(inName:))
        switch await row.keeper.swapped() {
        case .replaced(let kind):
            if kind != .withoutWork { rows[name]?.allowsOneConnection = kind == .breakBeforeMake }
            let attempt = Self.attempt(kind)
            events.append("workerUpgraded", camera: name, attempt.detail)
            return attempt
        case .rolledBack(let fault):
            await refuse(installed, instead: before)
            return Attempt(outcome: .kept, detail: "\(fault.message). \(fault.nextStep)", fault: fault)
        case .broken(let fault):
            await refuse(installed, instead: before)
            return await goBack(name, fault)
        case .notDone(let why): return Attempt(outcome: .skipped, detail: why)
        }
    }

    private static func attempt(_ kind: SwapKind) -> Attempt {
        switch kind {
        case .makeBeforeBreak: Attempt(outcome: .replaced, detail: "without a gap")
        case .breakBeforeMake:
            Attempt(outcome: .replacedWithGap, detail: "the camera allows no second connection")
        case .withoutWork: Attempt(outcome: .replaced, detail: "no recording was interrupted by it")
        }
    }

    /// Starts a kept build in the place of the one that was just refused.
    private func goBack(_ name: CameraName, _ fault: Fault) async -> Attempt {
        guard let row = rows[name], let build = await substitute() else {
            let detail = "\(fault.message); the old build was not kept, so the new one keeps trying"
            return Attempt(outcome: .failed, detail: detail, fault: fault)
        }
        row.keeper.order(.restart(.upgrade))
        await row.keeper.settled()
        events.append("upgradeRolledBack", camera: name, level: .warning, "back to build \(build)")
        await wait(atMost: Self.comparison) { self.rows[name]?.progress?.state == .recording }
        let detail = "\(fault.message); back to build \(build)"
        if rows[name]?.progress?.state == .recording || isStopping {
            return Attempt(outcome: .failed, detail: detail, fault: fault)
        }
        // The camera is away: no build is to blame, and the others' turn comes.
        await pardon()
        return Attempt(outcome: .failed, detail: detail + ", which does not record either")
    }
}

extension CameraRow {
    /// A worker runs, or may, and has not said hello yet.
    fileprivate var isUnknown: Bool { kept.map { $0.pid != nil && build == nil } ?? configuration.enabled }

    fileprivate func isOutdated(by installed: String?) -> Bool {
        guard kept?.pid != nil, let build else { return false }
        return BuildIdentity.id(inName: build) != installed
    }
}
