import Dispatch
package import Messages
import Synchronization
import YAMLConfiguration

/// The events of media graphs on disk, for those that they are delivered to: at least once, in order, also after an
/// outage, a crash or a power cut.
///
/// Disks are its own thread's: whoever appends waits for none. 64 MiB at most; the oldest go first, with an event that
/// says so.
package final class EventSpool: Sendable {
    /// What may wait for a disk that stands still; further events are lost, and told once it moves.
    private static let mostWaiting = 4096

    private let queue = DispatchQueue(label: "io.cvr.events")
    private let files: Mutex<SpoolFiles>
    private let bells = Mutex<(next: UInt64, bells: [UInt64: AsyncStream<Void>.Continuation])>((0, [:]))
    private let backlog = Mutex<(waiting: Int, lost: Int64)>((0, 0))
    /// The last event that each consumer gave up, told or not on disk yet.
    private let givenUp = Mutex<[String: Int64]>([:])
    private let counters = Mutex(SpoolFiles.Counters())
    private let told: @Sendable (Listing.Event) -> Void

    /// `told` hears what befalls the spool itself, on a thread that waits for disks; nothing is read or made before the first use.
    package init(
        directory: String, capacity: Int = 64 << 20, told: @escaping @Sendable (Listing.Event) -> Void = { _ in }
    ) {
        files = Mutex(SpoolFiles(directory: directory, capacity: capacity))
        self.told = told
    }

    /// Takes an event; it is on disk soon after, in the order of the calls.
    package func append(_ event: Listing.Event) {
        let isTaken = backlog.withLock { backlog in
            guard backlog.waiting < Self.mostWaiting else {
                backlog.lost += 1
                return false
            }
            backlog.waiting += 1
            return true
        }
        guard isTaken else { return }
        queue.async { self.write(event) }
    }

    /// Waits until what was appended before is on disk, or is known to be lost: that was told by its own append.
    ///
    /// Throws only when it is cancelled: a dead disk is not waited for.
    package func flush() async throws { try await onDisk { _ in } }

    /// The events after `sequence`, or what `consumer` acknowledged where that is more: up to `limit`, out of one read.
    ///
    /// Throws `FileError` when they cannot be read.
    package func events(
        for consumer: String, after sequence: Int64 = 0, limit: Int = 64
    ) async throws -> [Admin.StoredEvent] {
        try await onDisk { try $0.events(for: consumer, after: sequence, limit: limit) }
    }

    /// Everything up to `sequence` was delivered; an earlier one than before changes nothing.
    ///
    /// False when there are so many consumers that this one is not remembered. Throws `FileError`.
    @discardableResult
    package func acknowledge(_ sequence: Int64, by consumer: String) async throws -> Bool {
        try await onDisk { try $0.acknowledge(sequence, by: consumer) }
    }

    /// `consumer` never takes `event`, which counts as delivered to it: an event of LVA's says so to everyone.
    ///
    /// Throws `FileError`: then it is to be done again, and is told once all the same.
    package func giveUp(_ event: Admin.StoredEvent, by consumer: String, because why: String) async throws {
        if givenUp.withLock({ $0.updateValue(event.sequence, forKey: consumer) }) != event.sequence {
            tellGivenUp(event, by: consumer, because: why)
        }
        try await acknowledge(event.sequence, by: consumer)
    }

    private func tellGivenUp(_ event: Admin.StoredEvent, by consumer: String, because why: String) {
        let words = "of media graphs, number \(event.sequence), was not taken by \(consumer) and is given up: \(why)"
        if event.event.type == SpoolFiles.droppedType {
            // One about that would be refused as well.
            tell("graphEventsLost", "an event \(words)")
        } else {
            let notice = SpoolFiles.dropped(like: event.event, "an event \(words)")
            told(notice)
            append(notice)
        }
    }

    /// How many events `consumer` has not acknowledged, as far as the spool was used; waits for no disk.
    package func waiting(for consumer: String) -> Int64 { counters.withLock { $0.waiting(for: consumer) } }

    /// These are the consumers of the configuration whose names begin with `prefix`: a new one begins with what comes from
    /// now on, one that is gone is forgotten.
    package func configure(_ consumers: Set<String>, prefix: String) {
        queue.async {
            do throws(FileError) {
                try self.files.withLock { files throws(FileError) in try files.configure(consumers, prefix: prefix) }
                self.count()
            } catch {
                self.tell("stateNotWritten", "\(error)")
            }
        }
    }

    /// Says each time that there may be more.
    package func changes() -> AsyncStream<Void> {
        let (stream, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let key = bells.withLock { bells in
            bells.next += 1
            bells.bells[bells.next] = bell
            return bells.next
        }
        bell.onTermination = { [weak self] _ in _ = self?.bells.withLock { $0.bells.removeValue(forKey: key) } }
        return stream
    }

    private func write(_ event: Listing.Event) {
        let lost = backlog.withLock { backlog in
            backlog.waiting -= 1
            defer { backlog.lost = 0 }
            return backlog.lost
        }
        let outcome = files.withLock { files in
            if lost > 0 { files.noteLoss(lost) }
            return files.append(event)
        }
        count()
        if let words = outcome.failure {
            tell(
                "graphEventsLost",
                "events of media graphs cannot be written: \(words); those until then reach nobody but `cvrctl events`")
        }
        for event in outcome.dropped { told(event) }
        for bell in bells.withLock({ Array($0.bells.values) }) { bell.yield() }
    }

    private func count() {
        let (new, notices) = files.withLock { files in
            defer { files.notices = [] }
            return (files.counters, files.notices)
        }
        counters.withLock { $0 = new }
        for notice in notices { told(notice) }
    }

    private func tell(_ type: String, _ detail: String) { told(SpoolFiles.notice(type: type, detail)) }

    /// In its turn, on the spool's thread; a cancelled caller stops waiting for it.
    private func onDisk<Value: Sendable>(
        _ work: @escaping @Sendable (inout SpoolFiles) throws -> Value
    ) async throws -> Value {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Value.self)
        queue.async {
            do {
                let value = try self.files.withLock { try work(&$0) }
                self.count()
                continuation.yield(value)
                continuation.finish()
            } catch {
                self.count()
                continuation.finish(throwing: error)
            }
        }
        for try await value in stream { return value }
        throw CancellationError()
    }
}
