import Isolation
import Logging
import Messages
import Recording
import YAMLConfiguration

/// How cvrd keeps cvr-playback. Whatever becomes of that, no recording waits for it.
extension Supervisor {
    /// All that is known of it.
    struct KeptPlayback {
        var link: PlaybackLink
        var keeper: Keeper
        var kept = KeeperStatus()
        var status: PlaybackInterface.Status?
        var refusal: Admin.Fault?
        var sandbox: String?

        /// What was known of a process that is gone.
        mutating func forgetProcess() { (status, refusal, sandbox) = (nil, nil, nil) }
    }

    /// Brings the process to what the configuration says: to be called at the start and after each change.
    func applyPlayback() async {
        guard let playback else { return startPlayback() }
        guard !isStopping else { return }
        guard let plan = playbackPlan else { return playback.keeper.order(.stop(.stopped)) }
        await playback.link.take(plan)
        // Also after a refusal, and while it is held back: the operator has acted.
        if case .waiting = playback.kept.phase { return playback.keeper.order(.restart(.stopped)) }
        playback.keeper.order(.start)
    }

    private func startPlayback() {
        guard let plan = playbackPlan else { return }
        let link = PlaybackLink(
            plan, places: places, executable: surroundings.programs.playback,
            boxStatus: { [weak self] in await self?.status() ?? .empty }
        ) { [weak self] in await self?.playback(said: $0) }
        let keeper = Keeper(link) { [weak self] in await self?.playbackKeeper(reports: $0) }
        playback = KeptPlayback(link: link, keeper: keeper)
        keep(keeper)
        // What an earlier cvrd left is found, and stopped.
        keeper.order(isStopping ? .retire(.stopped) : .start)
    }

    /// Ends what an earlier cvrd started, where nothing is to be served any more.
    func endStrayPlayback() async {
        guard box.playback.listen == nil else { return }
        let (path, arguments) = (places.playbackDirectory + "/state.json", ["--run", places.playbackDirectory])
        let stray = await offPool(atMost: .seconds(5)) { ProcessRecord.process(at: path, startedWith: arguments) }
        if let process = stray ?? nil { await Leftover.end(process) }
    }

    /// Nil when nothing is to be served.
    private var playbackPlan: PlaybackLink.Plan? {
        box.playback.listen.map { listen in
            PlaybackLink.Plan(
                configuration: PlaybackInterface.Configuration(box, listen: listen.description),
                secrets: PlaybackSecrets(configuration: box.playback, store: storeSecrets, files: credentials))
        }
    }

    private func playbackKeeper(reports report: Keeper.Report) {
        switch report {
        case .status(let status):
            if status.pid != playback?.kept.pid {
                playback?.forgetProcess()
            }
            playback?.kept = status
        case .happened(let type, let detail, let fault):
            let name = type.hasPrefix("worker") ? "playback" + type.dropFirst("worker".count) : type
            events.append(name, level: fault == nil ? nil : .warning, detail)
        }
    }

    private func playback(said news: PlaybackLink.News) async {
        switch news {
        case .status(let status):
            let isNew = playback?.status?.build != status.build
            playback?.status = status
            playback?.refusal = nil
            let sandbox = SandboxWord(status.sandbox ?? "")
            if playback?.sandbox != sandbox.text, let warning = sandbox.warning {
                events.append("sandboxDegraded", warning)
            }
            playback?.sandbox = sandbox.text
            if isNew, let build = status.build { await notice(build: build, of: surroundings.programs.playback) }
        case .refused(let fault):
            let words = "\(fault.message). \(fault.nextStep)"
            if playback?.refusal?.message != fault.message { events.append("playbackRefused", words) }
            playback?.status = nil
            playback?.refusal = fault
        }
    }

    var playbackSummary: Admin.Playback {
        guard let listen = box.playback.listen else { return Admin.Playback(state: "off") }
        var summary = Admin.Playback(state: playback?.status?.state ?? "away")
        summary.pid = playback?.kept.pid.map(Int64.init)
        summary.listen = playback?.status?.listen ?? listen.description
        summary.viewers = playback?.status?.viewers ?? 0
        summary.sandbox = playback?.sandbox
        let ended = playback?.kept.fault.map { Admin.Fault($0, at: playback?.kept.faultAt) }
        summary.lastError =
            playback?.status == nil ? playback?.refusal ?? ended : playback?.status?.lastError
        return summary
    }

    // MARK: Upgrade

    /// The installed build of cvr-playback, if another one runs.
    func newPlaybackBuild() async -> String? {
        guard let running = playback?.status?.build.flatMap(BuildIdentity.id(inName:)),
            let installed = await installedBuild(of: surroundings.programs.playback), running != installed
        else { return nil }
        return installed
    }

    /// Says what came of it, as the end of a sentence; viewers connect again.
    func restartPlayback(into build: String) async -> String {
        playback?.keeper.order(.restart(.upgrade))
        await playback?.keeper.settled()
        let answers = { self.playback?.status?.build.flatMap(BuildIdentity.id(inName:)) == build }
        await wait(atMost: Self.playbackLimit, until: answers)
        guard answers() else { return "; cvr-playback of build \(build) does not answer yet" }
        events.append("playbackUpgraded", "to build \(build)")
        return "; cvr-playback is of build \(build)"
    }

    private static let playbackLimit = Duration.seconds(15)
}

extension Admin.Status {
    /// Of a cvrd that is gone.
    fileprivate static var empty: Admin.Status {
        Admin.Status(
            version: "", uptime: 0, cameras: [], sync: Admin.Sync(state: "away"),
            playback: Admin.Playback(state: "away"))
    }
}
