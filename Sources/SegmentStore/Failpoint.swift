import CLinux

/// Places where a test makes this process fail: `CVR_FAILPOINT=name[:n][=action]`.
///
/// The n-th time the named place is reached the process sends itself SIGKILL, or does what `action` says. Without the
/// variable a place costs one comparison.
package enum Failpoint {
    /// Every place in this module, in the order in which a segment's life reaches them.
    package enum Step: String, CaseIterable, Sendable {
        case journalWritten = "journal.written"
        case journalSynced = "journal.synced"
        case createDirectories = "create.directories"
        case createPartial = "create.partial"
        case createInit = "create.init"
        case createInitSynced = "create.initSynced"
        case createDirectoriesSynced = "create.directoriesSynced"
        case appendWritten = "append.written"
        case appendSynced = "append.synced"
        case closeTrailer = "close.trailer"
        case closeSynced = "close.synced"
        case closeRenamed = "close.renamed"
        case closeDirectorySynced = "close.directorySynced"
        case setAsideRenamed = "setAside.renamed"
        case recoverUnlinked = "recover.unlinked"
        case recoverTruncated = "recover.truncated"
        case recoverTrailer = "recover.trailer"
        case recoverSynced = "recover.synced"
        case recoverRenamed = "recover.renamed"
        case recoverDirectorySynced = "recover.directorySynced"
        case recoverJournalled = "recover.journalled"
        case evictUnlinked = "evict.unlinked"
        case evictDirectorySynced = "evict.directorySynced"
        case watermarkWritten = "watermark.written"
    }

    static func reach(_ step: Step) {
        guard let armed, armed.name == step.rawValue else { return }
        armed.countDown()
    }

    /// For the failpoints of other modules.
    package static func reach(_ name: StaticString) {
        guard let armed, armed.name == name.description else { return }
        armed.countDown()
    }

    private static let armed = Armed(environment: getenv("CVR_FAILPOINT").map { String(cString: $0) })
}

/// How a process fails.
private enum Failure: String, Sendable {
    case kill, abort, exit
    /// Goes round in a circle.
    case spin
    /// Waits for what does not come.
    case sleep
    /// Takes all the memory that it may have.
    case allocate
    /// Takes all the descriptors that it may have, and goes on.
    case open

    func happen() {
        switch self {
        case .kill: CLinux.kill(getpid(), SIGKILL)
        case .abort: CLinux.abort()
        case .exit: CLinux.exit(0)
        case .spin: while true {}
        case .sleep: while true { poll(nil, 0, -1) }
        case .allocate:
            var held: [[UInt8]] = []
            while true { held.append([UInt8](repeating: 1, count: 1 << 20)) }
        case .open: while dup(STDIN_FILENO) >= 0 {}
        }
    }
}

/// The failpoint that the environment names, and how often it is still passed.
private struct Armed: Sendable {
    let name: String
    private let failure: Failure
    /// Never freed; cvr-sync may reach it from any thread.
    nonisolated(unsafe) private let remaining: UnsafeMutablePointer<Int32>

    init?(environment: String?) {
        let parts = environment?.split(separator: "=") ?? []
        guard let place = parts.first?.split(separator: ":"), let name = place.first else { return nil }
        self.name = String(name)
        failure = parts.dropFirst().first.flatMap { Failure(rawValue: String($0)) } ?? .kill
        remaining = .allocate(capacity: 1)
        remaining.initialize(to: place.count > 1 ? Int32(place[1]) ?? 1 : 1)
    }

    func countDown() {
        let left = cvr_decrement(remaining)
        // A leak goes on: what is closed meanwhile is taken too.
        if left == 0 || (left < 0 && failure == .open) { failure.happen() }
    }
}
