import Glibc
import Isolation
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// Where a process lives of which a box has one, cvr-sync, cvr-playback or cvr-gateway: its run directory, the socket in it, and the
/// files that name it to a cvrd that is not its parent.
struct ProcessHome: Hashable, Sendable {
    let directory: String
    let socket: String
    /// Files that name the process, in the order in which they are asked.
    private let records: [String]

    static func sync(_ places: Places) -> ProcessHome {
        // In a run directory that was wiped under it, the lock of its catalog still names it.
        ProcessHome(
            directory: places.syncDirectory, socket: places.syncSocket,
            records: [places.syncDirectory + "/state.json", places.syncLock])
    }

    static func playback(_ places: Places) -> ProcessHome {
        ProcessHome(
            directory: places.playbackDirectory, socket: places.playbackSocket,
            records: [places.playbackDirectory + "/state.json"])
    }

    static func gateway(_ places: Places) -> ProcessHome {
        ProcessHome(
            directory: places.gatewayDirectory, socket: places.gatewaySocket,
            records: [places.gatewayDirectory + "/state.json"])
    }

    /// With which it is started, and by which its command line is known.
    var arguments: [String] { ["--run", directory] }

    /// True for a process that was started to live here.
    func houses(_ pid: Int32) -> Bool { ProcessRecord.isOurs(pid, startedWith: arguments) }

    /// The live process that its files name.
    func inhabitant() async -> RunningProcess? {
        let (records, arguments) = (records, arguments)
        return await offPool(atMost: .seconds(5)) {
            records.lazy.compactMap { ProcessRecord.process(at: $0, startedWith: arguments) }.first
        } ?? nil
    }

    /// The process, if it can be talked to; one whose socket is gone can be told nothing any more, and is ended.
    func reachable() async -> RunningProcess? {
        guard let found = await inhabitant() else { return nil }
        do {
            try await connect().close()
        } catch {
            guard access(socket, F_OK) != 0 else { return found }
            await Leftover.end(found)
            return nil
        }
        return found
    }

    func connect() async throws -> VarlinkClient {
        try await VarlinkClient.connect(path: socket, timeout: .seconds(1))
    }

    /// A connection to `process`, and to none that lives here after it: that has a conversation of its own.
    ///
    /// The next one is started only when this one is known to have ended.
    func connect(to process: RunningProcess) async throws -> VarlinkClient {
        let client = try await connect()
        guard !process.hasEnded else {
            await client.close()
            throw VarlinkConnectionError(
                operation: "find process \(process.pid) at", path: socket, errno: ESRCH,
                nextStep: "Ask the one that is there now")
        }
        return client
    }

    /// Asks whoever listens to stop, on a connection of its own, since another may wait for an answer.
    ///
    /// False when nobody listens, so that SIGTERM must follow; that an answer was waited for in vain makes no difference.
    @discardableResult
    func ask<Answer: Decodable & Sendable>(
        _ method: String, _ parameters: some Encodable & Sendable, as answer: Answer.Type, within limit: Duration?
    ) async -> Bool {
        // Nobody listens.
        guard let client = try? await connect() else { return false }
        do {
            _ = try await client.call(method, parameters, as: answer, timeout: limit)
            await client.close()
        } catch {
            // It ended before it answered, or cannot answer: then SIGTERM follows.
        }
        return true
    }

    /// What a process that is not our child said of its end.
    func lastWords(of process: RunningProcess) async -> LastWords? {
        let (directory, pid, startTime) = (directory, process.pid, process.startTime)
        return await offPool(atMost: .seconds(1)) {
            LastWordsFile.read(in: directory, of: pid, startTime: startTime)
        } ?? nil
    }
}

/// The link to such a process: nothing is lost when it is ended and started again.
protocol HomeLink: ProcessLink {
    var home: ProcessHome { get }
}

extension HomeLink {
    func findRunning() async -> [RunningProcess] { await home.reachable().map { [$0] } ?? [] }

    func removeLeftovers() async { if let process = await home.inhabitant() { await Leftover.end(process) } }

    func lastWords(of process: RunningProcess) async -> LastWords? { await home.lastWords(of: process) }

    /// To be called when `process` has said nothing for too long; lets it wait for a disk.
    func judge(_ process: RunningProcess, silentFor silence: TimeSpan) throws(Departure.Condemnation) {
        let state = ProcessFacts.activity(of: process.pid)?.state
        if state == .waitingForDisk { return }
        throw .hung(state == .stopped ? .frozen : .asleep, "no answer for \(silence.microseconds / 1_000_000) s")
    }
}

extension Admin.Fault {
    /// Why a process does not do what it is told: it answered with an error, or what it needs cannot be read.
    ///
    /// It is no hung process then, and the operator must know. Nil for a broken connection, which is only its end.
    init?(_ code: String, refusal error: any Error) {
        let time = WallTime.now.rfc3339
        switch error {
        case let error as VarlinkRemoteError:
            self.init(code: code, message: error.message, nextStep: error.nextStep, time: time)
        case let error as Refusal:
            self.init(code: code, message: error.fault.message, nextStep: error.fault.nextStep, time: time)
        default: return nil
        }
    }
}
