import Isolation
import Logging
import Messages
import Recording
import YAMLConfiguration

/// How cvrd keeps cvr-playback. Whatever becomes of that, no recording waits for it.
extension Supervisor {
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
        playback = KeptService(link: link, keeper: keeper)
        keep(keeper)
        // What an earlier cvrd left is found, and stopped.
        keeper.order(isStopping ? .retire(.stopped) : .start)
    }

    /// Ends what an earlier cvrd started, where nothing is to be served any more.
    func endStrayPlayback() async {
        guard box.playback.listen == nil else { return }
        if let process = await ProcessHome.playback(places).inhabitant() { await Leftover.end(process) }
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
        case .status(let status): playback?.take(status)
        case .happened(let type, let detail, let fault): note(type, detail, fault, of: "playback")
        }
    }

    private func playback(said news: PlaybackLink.Talk.News) async {
        switch news {
        case .status(let status):
            let (last, sandbox) = (playback?.status, playback?.sandbox)
            playback?.hear(status)
            await greet(status, after: last, sandbox: sandbox, program: surroundings.programs.playback)
        case .refused(let fault):
            let words = "\(fault.message). \(fault.nextStep)"
            if playback?.refusal?.message != fault.message { events.append("playbackRefused", words) }
            playback?.hear(refusal: fault)
        }
    }

    var playbackSummary: Admin.Playback {
        guard let listen = box.playback.listen else { return Admin.Playback(state: "off") }
        var summary = Admin.Playback(state: playback?.status?.state ?? "away")
        summary.pid = playback?.kept.pid.map(Int64.init)
        summary.listen = playback?.status?.listen ?? listen.description
        summary.tls = box.playback.tls != nil
        summary.viewers = playback?.status?.viewers ?? 0
        summary.sandbox = playback?.sandbox
        summary.lastError = playback?.status == nil ? playback?.fault : playback?.status?.lastError
        return summary
    }
}

extension Admin.Status {
    /// Of a cvrd that is gone.
    fileprivate static var empty: Admin.Status {
        Admin.Status(
            version: "", uptime: 0, cameras: [], sync: Admin.Sync(state: "away"),
            playback: Admin.Playback(state: "away"))
    }
}
