import Isolation
import Logging
import Messages
import Recording
import YAMLConfiguration

/// What cvr-sync, cvr-playback and cvr-gateway say of themselves.
protocol SelfDescription: Sendable {
    var state: String { get }
    var sandbox: String? { get }
    var build: String? { get }
}

extension SyncInterface.Status: SelfDescription {}
extension PlaybackInterface.Status: SelfDescription {}
extension GatewayInterface.Status: SelfDescription {}

/// A process of which a box has one, as cvrd keeps it, and what is known of it.
struct KeptService<Link: HomeLink, Status: SelfDescription> {
    let link: Link
    let keeper: Keeper
    private(set) var kept = KeeperStatus()
    /// What it last said; nil while it is away.
    private(set) var status: Status?
    /// Why it does not do what it is told; nil while it does.
    private(set) var refusal: Admin.Fault?
    private(set) var sandbox: String?

    init(link: Link, keeper: Keeper) {
        self.link = link
        self.keeper = keeper
    }

    /// The build id that it runs, as far as it has said.
    var build: String? { status?.build.flatMap(BuildIdentity.id(inName:)) }

    /// Why it does not do its work, as far as that is not its own to say.
    var fault: Admin.Fault? { refusal ?? kept.fault.map { Admin.Fault($0, at: kept.faultAt) } }

    /// Its keeper reports: nothing is known of another process yet.
    mutating func take(_ new: KeeperStatus) {
        if new.pid != kept.pid { (status, refusal, sandbox) = (nil, nil, nil) }
        kept = new
    }

    /// It says how it is.
    mutating func hear(_ new: Status) { (status, refusal, sandbox) = (new, nil, SandboxWord(new.sandbox ?? "").text) }

    mutating func hear(refusal new: Admin.Fault) { (status, refusal) = (nil, new) }
}

extension Supervisor {
    /// `worker…` of what a keeper tells is `sync…`, `playback…` or `gateway…` here.
    func note(_ type: String, _ detail: String, _ fault: Fault?, of service: String) {
        let name = type.hasPrefix("worker") ? service + type.dropFirst("worker".count) : type
        events.append(name, level: fault == nil ? nil : .warning, detail)
    }

    /// Has said something new: what an operator must know of it.
    func greet<Status: SelfDescription>(_ status: Status, after last: Status?, sandbox: String?, program: String) async
    {
        let word = SandboxWord(status.sandbox ?? "")
        if sandbox != word.text, let warning = word.warning { events.append("sandboxDegraded", warning) }
        if status.build != last?.build, let build = status.build { await notice(build: build, of: program) }
    }

    // MARK: Upgrade

    /// The installed build of `program`, if another one runs.
    func newBuild(of program: String, running: String?) async -> String? {
        guard let running, let installed = await installedBuild(of: program), running != installed else { return nil }
        return installed
    }

    /// Starts `program` of the new build in place of the running one, since nothing is lost by its pause.
    ///
    /// `event` tells that it is done. Says what came of it, as the end of a sentence.
    func restart(
        _ program: String, _ keeper: Keeper?, into build: String, within limit: Duration, event: String,
        running: () -> String?
    ) async -> String {
        keeper?.order(.restart(.upgrade))
        await keeper?.settled()
        await wait(atMost: limit) { running() == build }
        guard running() == build else { return "; \(program) of build \(build) does not answer yet" }
        events.append(event, "to build \(build)")
        return "; \(program) is of build \(build)"
    }
}
