import Glibc
import Isolation
import Messages
import Recording

/// What is known of one of a camera's workers, and the way to it.
struct Talk {
    /// Tells one connection from the next.
    var connection = 0
    /// By its command line; nil when that could not be read.
    var slot: Slot?
    var sink: AsyncStream<SupervisorToIngest>.Continuation?
    var detector = HangDetector(at: .now)
    var identity: WorkerIdentity?
    var progress: WorkerProgress?
    /// What a successor said of being ready.
    var readiness: IngestToSupervisor?
    /// What it speaks, once it has said hello.
    var version: UInt8?
    /// False for a worker that would hang up on it.
    var isGreeted = true
}

/// The conversations with a camera's workers: one, and two during a swap.
extension WorkerLink {
    /// For a worker that an earlier cvrd started: it listens already, or its socket is gone.
    private static let adoptedPatience = TimeSpan.seconds(2)

    func converse(with process: RunningProcess) async throws {
        talks[process.pid] = Talk()
        defer { talks[process.pid] = nil }
        if leader == nil { leader = process.pid }
        if leader == process.pid { await tell(isStalled: false) }
        // Asked first: an optional chain that waits in the middle of an assignment holds the table open meanwhile.
        let slot = await Self.slot(of: process)
        talks[process.pid]?.slot = slot
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.stayConnected(to: process) }
            group.addTask { try await self.watch(process) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    func lead(_ process: RunningProcess) async {
        leader = process.pid
        guard let talk = talks[process.pid] else { return }
        if let identity = talk.identity { await hear(.said(.hello(identity))) }
        if let progress = talk.progress { await hear(.said(.progress(progress))) }
    }

    func askToStop(_ process: RunningProcess, _ reason: GapReason) -> Bool {
        tell(process.pid, .stop(talks[process.pid]?.version == 1 && reason == .upgrade ? .stopped : reason))
    }

    /// False without a connection.
    func tell(_ pid: Int32, _ message: SupervisorToIngest) -> Bool {
        guard let talk = talks[pid], let sink = talk.sink, talk.version != nil else { return false }
        sink.yield(message)
        return true
    }

    func tellAll(_ message: SupervisorToIngest) {
        // Who is not connected is told when it is; who has still to say hello, behind that.
        for talk in talks.values { talk.sink?.yield(message) }
    }

    /// Connects again whenever the connection ends; the process itself is watched elsewhere.
    private func stayConnected(to process: RunningProcess) async throws {
        var attempts = 0
        let began = MonotonicTime.now
        while !Task.isCancelled {
            if let connection = connection(to: process) {
                attempts = 0
                adopted.remove(process.pid)
                try await talk(connection, with: process)
            } else if adopted.contains(process.pid), MonotonicTime.now - began > Self.adoptedPatience {
                throw Departure.Condemnation.unreachable("its socket is gone, or it does not accept")
            }
            attempts += 1
            try await Task.sleep(for: .milliseconds(attempts < 100 ? 10 : 250))
        }
    }

    /// Never waits: a worker whose queue of connections is full, or who is stopped, holds nobody up.
    ///
    /// Only its own slot is tried, and never another worker's: that leaves one connection for the next, whoever that is,
    /// and is taken to hang when it is left too often. A program that is no worker says no slot.
    private func connection(to process: RunningProcess) -> WorkerConnection? {
        let others = talks.filter { $0.key != process.pid }.compactMap(\.value.slot)
        let slots = talks[process.pid]?.slot.map { [$0] } ?? Slot.allCases.filter { !others.contains($0) }
        for slot in slots {
            // It does not listen yet.
            guard let connection = try? WorkerConnection(path: places.workerSocket(camera, slot)) else { continue }
            if connection.peer == process.pid { return connection }
            connection.abandon()
        }
        return nil
    }

    private func talk(_ connection: WorkerConnection, with process: RunningProcess) async throws {
        let pid = process.pid
        let (stream, continuation) = AsyncStream.makeStream(of: SupervisorToIngest.self)
        if let settings { continuation.yield(.configure(settings)) }
        for window in windows { continuation.yield(.window(window)) }
        numbers += 1
        let own = numbers
        talks[pid]?.connection = own
        talks[pid]?.sink = continuation
        talks[pid]?.version = nil
        let greets = talks[pid]?.isGreeted ?? true
        // One that ends late leaves its successor's alone.
        defer { if talks[pid]?.connection == own { close(pid, greeted: greets) } }
        do {
            try await connection.talk(greets: greets, outgoing: stream) { message, version in
                try await self.heard(message, in: version, from: pid)
            }
        } catch let error as MessageError where error.isOtherVersion {
            throw Departure.Condemnation.otherVersion(error.description)
        } catch let error as MessageError {
            throw Departure.Condemnation.garbage(error.description)
        } catch let error as Departure.Condemnation {
            throw error
        } catch {
            // The connection broke: the caller connects again while the process lives.
        }
    }

    /// A worker that never said hello may have hung up on our greeting: the next connection does without.
    private func close(_ pid: Int32, greeted: Bool) {
        talks[pid]?.sink = nil
        defer { talks[pid]?.version = nil }
        let isOld = talks[pid]?.version.map { $0 < Messages.Frame.version } ?? greeted
        talks[pid]?.isGreeted = !isOld
    }

    private func heard(_ message: IngestToSupervisor, in version: UInt8, from pid: Int32) async throws {
        if talks[pid]?.version == nil {
            // The first message of a connection must be the right worker's hello.
            guard case .hello(let identity) = message else { throw MessageError("no hello at first") }
            guard identity.camera == camera else { throw MessageError("a worker of \(identity.camera)") }
            guard identity.pid == Int64(pid) else { throw MessageError("the hello of process \(identity.pid)") }
            talks[pid]?.version = version
            talks[pid]?.identity = identity
        }
        if case .progress(let progress) = message {
            talks[pid]?.detector.heard(progress, at: .now)
            talks[pid]?.progress = progress
            if pid == leader { note(session: progress.session) }
        }
        if case .readyToSucceed = message { talks[pid]?.readiness = message }
        for tap in taps.values { tap.yield((pid, message)) }
        if pid == leader { return await hear(.said(message)) }
        // A successor has no say yet, but may have something to tell.
        if case .event = message { await hear(.said(message)) }
    }

    private func watch(_ process: RunningProcess) async throws {
        while true {
            try await Task.sleep(for: .milliseconds(500))
            let activity = ProcessFacts.activity(of: process.pid)
            switch talks[process.pid]?.detector.verdict(at: .now, activity) {
            case .hung(let kind, let why): throw Departure.Condemnation.hung(kind, why)
            // The camera is the leader's: a successor beside it has no say.
            case .diskStalled: if process.pid == leader { await tell(isStalled: true) }
            case .alive, nil: if process.pid == leader { await tell(isStalled: false) }
            }
        }
    }

    private func tell(isStalled: Bool) async {
        guard isStalled != isDiskStalled else { return }
        isDiskStalled = isStalled
        let fault = Fault(
            code: "diskStalled", message: "the worker waits for its disk", nextStep: "Check the disk (dmesg, smartctl)")
        await hear(.diskStalled(isStalled ? fault : nil))
    }
}
