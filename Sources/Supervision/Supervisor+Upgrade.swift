import Configuration
import Logging
package import Messages
import Recording

/// Replaces workers of another build than the installed one, one at a time (ARCHITECTURE, "Swap").
///
/// The first is the canary: when its new worker does not record, the others are left alone.
extension Supervisor {
    /// Recording so long without a break makes a build one to go back to.
    private static let proof = TimeSpan.seconds(60)
    private static let lookPeriod = Duration.seconds(10)
    /// Workers that are taken over say hello at about the same time: one upgrade is for them all.
    private static let gathering = Duration.seconds(2)

    // MARK: Asked or not

    /// Upgrades whatever needs it; its steps end with one that names no camera.
    package func upgrade() throws(ChangeRefusal) -> AsyncStream<Admin.UpgradeStep> {
        guard !isStopping else { throw .refused("cvrd is stopping", nextStep: "Start it again") }
        guard !isUpgrading else {
            throw .refused("an upgrade is under way", nextStep: "Follow it with `cvrctl events --follow`")
        }
        isUpgrading = true
        refusedBuild = nil
        let (steps, continuation) = AsyncStream.makeStream(of: Admin.UpgradeStep.self)
        // It goes on when whoever asked goes away: a swap is not to be cut short.
        Task { await self.perform(continuation) }
        return steps
    }

    /// A process said of which build it is: one of another than what would be started is to be replaced.
    func notice(build: String, of program: String) async {
        guard !isUpgrading, let theirs = BuildIdentity.id(inName: build), let ours = await installedBuild(of: program),
            theirs != ours, ours != refusedBuild
        else { return }
        upgradeInbox.yield()
    }

    func upgradeUnasked() async {
        for await _ in upgradeRequests {
            do {
                try await Task.sleep(for: Self.gathering)
                guard !isUpgrading, await installedBuild(of: surroundings.programs.ingest) != refusedBuild else {
                    continue
                }
                for await _ in try upgrade() {}
            } catch {
                // Cancelled or stopping: the next cvrd sees the same workers.
            }
        }
    }

    private func installedBuild(of program: String) async -> String? {
        await offPool(atMost: .seconds(2)) { BuildIdentity.id(at: program) } ?? nil
    }

    // MARK: One upgrade

    private func perform(_ steps: AsyncStream<Admin.UpgradeStep>.Continuation) async {
        let installed = await installedBuild(of: surroundings.programs.ingest)
        let outdated = rows.values.filter { row in
            row.kept?.pid != nil && row.build.map { BuildIdentity.id(inName: $0) != installed } == true
        }.sorted { Self.rank($0) < Self.rank($1) }.map(\.configuration.name)
        if !outdated.isEmpty {
            events.append("upgradeStarted", "\(outdated.count) workers to build \(installed ?? "unknown")")
        }
        var replaced = 0
        var failure: Fault?
        for name in outdated where failure == nil && !isStopping {
            let step = await replace(name, failure: &failure)
            if step.outcome.hasPrefix("replaced") { replaced += 1 }
            steps.yield(step)
        }
        if failure == nil { await restartOutdatedSync() }
        if failure != nil { refusedBuild = installed }
        isUpgrading = false
        let last = summary(replaced, of: outdated.count, failure)
        if !outdated.isEmpty {
            let type = failure == nil ? "upgradeDone" : "upgradeRolledBack"
            events.append(type, level: failure.map { _ in .warning }, last.detail)
        }
        steps.yield(last)
        steps.finish()
    }

    /// Nothing is lost by its pause: what it has not stored waits in the caches.
    private func restartOutdatedSync() async {
        guard let running = syncStatus?.build.flatMap(BuildIdentity.id(inName:)),
            let installed = await installedBuild(of: surroundings.programs.sync), running != installed
        else { return }
        syncKeeper?.order(.restart(.upgrade))
        events.append("syncUpgraded", "from build \(running) to \(installed)")
    }

    /// Recording cameras first, those that may lose something by it last.
    private static func rank(_ row: CameraRow) -> (Int, Int, CameraName) {
        (row.allowsOneConnection ? 1 : 0, row.progress?.state == .recording ? 0 : 1, row.configuration.name)
    }

    private func summary(_ replaced: Int, of count: Int, _ failure: Fault?) -> Admin.UpgradeStep {
        let detail = count == 0 ? "every worker runs the installed build" : "\(replaced) of \(count) workers replaced"
        guard let failure else { return Admin.UpgradeStep(camera: nil, outcome: "done", detail: detail) }
        return Admin.UpgradeStep(
            camera: nil, outcome: "rolledBack", detail: "\(detail); \(failure.message). \(failure.nextStep)")
    }

    private func replace(_ name: CameraName, failure: inout Fault?) async -> Admin.UpgradeStep {
        guard let row = rows[name] else {
            return Admin.UpgradeStep(camera: name.text, outcome: "skipped", detail: "it was removed")
        }
        await row.link.use(executable: surroundings.programs.ingest)
        let before = row.build.flatMap { BuildIdentity.id(inName: $0) }
        let (outcome, detail): (String, String)
        switch await row.keeper.swapped() {
        case .replaced(let kind):
            rows[name]?.allowsOneConnection = kind == .breakBeforeMake
            (outcome, detail) =
                kind == .breakBeforeMake
                ? ("replacedWithGap", "the camera allows no second connection") : ("replaced", "without a gap")
            events.append("workerUpgraded", camera: name, detail)
        case .rolledBack(let fault):
            failure = fault
            (outcome, detail) = ("kept", "\(fault.message). \(fault.nextStep)")
        case .broken(let fault):
            failure = fault
            (outcome, detail) = ("failed", fault.message + (await goBack(name, to: before)))
        case .notDone(let why): (outcome, detail) = ("skipped", why)
        }
        return Admin.UpgradeStep(camera: name.text, outcome: outcome, detail: detail)
    }

    /// Starts the old build again; what was done, as the end of a sentence.
    private func goBack(_ name: CameraName, to build: String?) async -> String {
        let kept = KeptBuilds(places)
        guard let row = rows[name], let build,
            await offPool(atMost: .seconds(2), { kept.holds(build) }) == true
        else { return "; the old build was not kept, so the new one keeps trying" }
        await row.link.use(executable: kept.path(of: build))
        row.keeper.order(.restart(.upgrade))
        await row.keeper.settled()
        events.append("upgradeRolledBack", camera: name, level: .warning, "back to build \(build)")
        return "; back to build \(build)"
    }

    // MARK: Builds to go back to

    func keepBuilds() async {
        do {
            while true {
                try await Task.sleep(for: Self.lookPeriod)
                await keepProvenBuild()
            }
        } catch {
            // Cancelled: cvrd ends.
        }
    }

    private func keepProvenBuild() async {
        let proven = rows.values.first { row in
            row.recordingSince.map { MonotonicTime.now - $0 > Self.proof } ?? false
        }
        guard let build = proven?.build.flatMap({ BuildIdentity.id(inName: $0) }) else { return }
        let (kept, path) = (KeptBuilds(places), surroundings.programs.ingest)
        do {
            try await offPool { try kept.keep(build, from: path) }
        } catch {
            events.append("stateNotWritten", "\(error)")
        }
    }
}
