import FoundationEssentials
import Glibc
import Isolation
import Messages
import Recording
import YAMLConfiguration

/// How a starting cvrd finds a camera's workers: by their sockets, and by the cache's lock files when a run directory
/// was wiped under them (design §5).
extension WorkerLink {
    /// How long files may keep us that say who runs.
    private static let looking = Duration.seconds(5)
    /// The same while we know one worker already: the disk of a cache must not hold its adoption up.
    private static let lookingFurther = Duration.milliseconds(200)

    func findRunning() async -> [RunningProcess] {
        // Without settings it is told nothing and records on as it was told before, until they can be read.
        if settings == nil { settings = try? await resolve() }  // why not is in the camera's row
        let listening = await listeners()
        let holding = await lockHolders(within: listening.isEmpty ? Self.looking : Self.lookingFurther)
        var found: [RunningProcess] = []
        for process in listening + holding where !found.contains(where: { $0.pid == process.pid }) {
            found.append(process)
        }
        found.sort { $0.startTime < $1.startTime }
        if !found.isEmpty, let known = await markedSession() { lastSession = max(lastSession, known) }
        adopted = Set(found.map(\.pid))
        leader = found.first?.pid
        return found
    }

    /// Ends every worker of this camera that its lock files name.
    ///
    /// A cache that does not answer names nobody: the worker that starts there finds the lock held.
    func removeLeftovers() async {
        for process in await lockHolders(within: Self.looking) { await Leftover.end(process) }
    }

    /// Ends what an earlier cvrd started right before it died, too late for the next one to see: it waits, and records
    /// nothing while `process` does.
    func removeStraySuccessors(beside process: RunningProcess) async {
        for other in await lockHolders(within: Self.looking) where other.pid != process.pid {
            await Leftover.end(other)
        }
    }

    func lastWords(of process: RunningProcess) async -> LastWords? {
        let directories = Slot.allCases.map { places.runDirectory(camera, $0) }
        let (pid, startTime) = (process.pid, process.startTime)
        let words = await offPool(atMost: .seconds(1)) {
            directories.compactMap { LastWordsFile.read(in: $0, of: pid, startTime: startTime) }.first
        }
        return words ?? nil
    }

    /// Nil when the state's disk does not say: then it is noted again.
    private func markedSession() async -> Int64? {
        let mark = SessionMark(camera, places)
        return await offPool(atMost: Self.lookingFurther) { try mark.read() }
    }

    private func listeners() async -> [RunningProcess] {
        var found: [RunningProcess] = []
        for slot in Slot.allCases {
            // Nobody listens, or the queue of connections is full: the lock files know of a worker.
            guard let connection = try? WorkerConnection(path: places.workerSocket(camera, slot)) else { continue }
            let (peer, arguments) = (connection.peer, commonArguments)
            connection.abandon()
            // In the files that say who it is; the lock's is looked at only where the run directory's does not fit.
            let files = [places.runDirectory(camera, slot) + "/state.json", places.lock(camera, slot)]
            let process = await offPool(atMost: Self.looking) {
                files.lazy.compactMap { ProcessRecord.process(at: $0, startedWith: arguments) }
                    .first { $0.pid == peer }
            }
            if let process = process ?? nil { found.append(process) }
        }
        return found
    }

    private func lockHolders(within limit: Duration) async -> [RunningProcess] {
        let (camera, places) = (camera, places)
        return await offPool(atMost: limit) {
            Slot.allCases.compactMap { ProcessRecord.worker(of: camera, $0, places) }
        } ?? []
    }
}

/// `last-words.json` of a run directory, as a worker writes it.
struct LastWordsFile: Codable {
    var pid: Int32
    var startTime: UInt64
    var bootID: String
    var code: Int32
    var why: String

    /// Nil unless they are of this very process.
    static func read(in directory: String, of pid: Int32, startTime: UInt64) -> LastWords? {
        // What cannot be read or understood are no words.
        guard let bytes = try? SmallFile.read("\(directory)/last-words.json", limit: 4096),
            let file = try? JSONDecoder().decode(LastWordsFile.self, from: Data(bytes)),  // see above
            file.pid == pid, file.startTime == startTime, file.bootID == ProcessFacts.bootID()
        else { return nil }
        let why = String(String.UnicodeScalarView(file.why.unicodeScalars.filter { $0.value > 31 }.prefix(400)))
        return LastWords(code: file.code, why: why)
    }
}
