import CLinux

/// Places where a test makes this process die, as a crash would: `CVR_FAILPOINT=name` or `name:n`.
///
/// The n-th time the named place is reached the process sends itself SIGKILL. Without the variable a place costs one
/// comparison.
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

/// The failpoint that the environment names, and how often it is still passed.
private struct Armed: Sendable {
    let name: String
    /// Never freed; cvr-sync may reach it from any thread.
    nonisolated(unsafe) private let remaining: UnsafeMutablePointer<Int32>

    init?(environment: String?) {
        guard let parts = environment?.split(separator: ":"), let name = parts.first else { return nil }
        self.name = String(name)
        remaining = .allocate(capacity: 1)
        remaining.initialize(to: parts.count > 1 ? Int32(parts[1]) ?? 1 : 1)
    }

    func countDown() {
        if cvr_decrement(remaining) == 0 { kill(getpid(), SIGKILL) }
    }
}
