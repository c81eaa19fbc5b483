internal import CAttack
internal import CLinux
internal import Confinement
internal import Ingest
internal import Recording
internal import SegmentStore

/// What an attacker goes for, found from a worker's command line: the box around it, a neighbour, a victim to strike at.
///
/// The victim and the bait are the attacker's own, so that no real recording is hurt where the attempts work.
struct Prey {
    struct Missing: Error {
        let what: String
    }

    let arguments: WorkerArguments
    let own: CacheDirectory
    let socket: ControlSocket
    let ownDescriptor: Int32
    let neighbour: String
    let runtime: String
    let state: String
    let store: String
    /// A camera's password, and what systemd handed to cvrd.
    let credential: String
    let systemdCredential: String
    /// Of the same user, and dumpable, as no real worker is.
    let victim: Int32
    let port: Int32

    var cache: String { arguments.cachePath }
    var run: String { arguments.runPath }
    var neighbourCache: String { Self.parent(arguments.cachePath) + "/" + neighbour }
    var neighbourRun: String { "\(runtime)/\(neighbour)/a" }
    var victimSocket: String { "@cvr-victim-\(victim)" }

    init(_ arguments: WorkerArguments) throws {
        self.arguments = arguments
        own = try CacheDirectory(path: arguments.cachePath, camera: arguments.camera)
        socket = try ControlSocket(path: arguments.runPath + "/worker.sock")
        ownDescriptor = cvr_open(arguments.cachePath, O_RDONLY | O_DIRECTORY, 0)
        runtime = Self.parent(Self.parent(arguments.runPath))
        let root = Self.parent(Self.parent(arguments.cachePath))
        (state, store) = (root + "/state", root + "/store")
        credential = Self.firstFile(in: state + "/credentials")
        let unit = Self.entries("/run/credentials").first ?? "none"
        systemdCredential = Self.firstFile(in: "/run/credentials/\(unit)")
        neighbour = try Self.findNeighbour(arguments, runtime)
        port = attack_listen_tcp()
        // With no cvrd around it plays the sockets of the others.
        for name in Attacker.isAlone ? ["admin.sock", "sync/sync.sock", "\(neighbour)/a/worker.sock"] : [] {
            unlink("\(runtime)/\(name)")
            guard attack_listen_unix("\(runtime)/\(name)") >= 0 else { throw Missing(what: name) }
        }
        victim = try Self.makeVictim()
    }

    /// Shuts this process in exactly as cvr-ingest, cvr-preview or cvr-gateway does, or with cvr-sync's system calls.
    func close() -> Sandbox {
        if Attacker.isPreview { return Sandbox.close(files: FileRules([]), calls: .preview(pid: getpid())) }
        if Attacker.isGateway {
            let files = FileRules([.init(arguments.runPath, .own), .init("/proc", .read)] + NameService.rules())
            return Sandbox.close(files: files, calls: .gateway(pid: getpid()))
        }
        guard Attacker.isSync else { return WorkerSandbox.close(arguments, cache: own) }
        let files = FileRules([.init(Self.parent(cache), .own), .init(runtime, .own), .init("/proc", .read)])
        return Sandbox.close(
            files: files, calls: .sync(pid: getpid(), usesNetwork: Attacker.syncStore == "service"))
    }

    /// With the box to itself: another attacker would take away this one's bait, and spoil what works free.
    func alone(_ act: () -> Void) {
        let caches = cvr_open(Self.parent(cache), O_RDONLY | O_DIRECTORY, 0)
        defer { CLinux.close(caches) }
        flock(caches, LOCK_EX)
        act()
    }

    /// Another camera; under cvrd its attacker, which may be started later, has to be there.
    private static func findNeighbour(_ arguments: WorkerArguments, _ runtime: String) throws -> String {
        let mine = arguments.camera.text
        for _ in 0..<500 {
            let others = entries(parent(arguments.cachePath)).filter { $0 != mine && $0.first != "." }
            for other in others where Attacker.isAlone || access("\(runtime)/\(other)/a/worker.sock", F_OK) == 0 {
                return other
            }
            poll(nil, 0, 20)
        }
        throw Missing(what: "another camera's cache and worker")
    }

    /// Lays out the files that attempts read, change or remove.
    func bait() {
        for folder in baited { Self.write("\(folder)/bait") }
    }

    func letGo() {
        for folder in baited { unlink("\(folder)/bait") }
        for name in ["stolen", "link", "pipe", "device", "attack.sock", "made"] {
            for folder in baited + [run] { unlink("\(folder)/\(name)") }
        }
        kill(victim, SIGKILL)
        waitpid(victim, nil, 0)
    }

    private var baited: [String] { [cache, neighbourCache, neighbourRun, state] }

    /// Sleeps, and listens at an abstract socket.
    private static func makeVictim() throws -> Int32 {
        let child = attack_fork()
        if child == 0 {
            guard attack_listen_unix("@cvr-victim-\(getpid())") >= 0 else { exit(1) }
            while true { pause() }
        }
        guard child > 0 else { throw Missing(what: "a victim") }
        return child
    }

    private static func write(_ path: String) {
        let file = cvr_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        CLinux.write(file, "secret", 6)
        CLinux.close(file)
    }

    static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }

    private static func firstFile(in folder: String) -> String { folder + "/" + (entries(folder).first ?? "none") }

    /// Empty when it cannot be listed.
    static func entries(_ folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
