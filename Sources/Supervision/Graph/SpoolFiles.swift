import JSON
import Messages
import Recording
import YAMLConfiguration

/// The files of the spool, the only ones of their directory; blocks on their disk.
///
/// `NNNNNNNNNNNNNNNNNNNN.events`, named after the first sequence in it, holds records (`SpoolRecord`) without holes;
/// `cursors/CONSUMER` what that one acknowledged. A file is appended to by the process that made it alone: what a crash
/// tore is read up to there, and the next one begins behind it.
struct SpoolFiles {
    /// What is dropped at a time is a file.
    static let parts = 16
    private static let pieceLength = 256 << 10
    /// What is kept of consumers does not grow with their names (I9).
    private static let mostConsumers = 128

    /// Of one `append`.
    struct Outcome: Sendable {
        /// Why it could not be written; nil when it was, and once an outage.
        var failure: String?
        /// What the spool itself had to say, which it has written too.
        var dropped: [Listing.Event] = []
    }

    private struct File {
        var first: Int64
        var bytes: Int
    }

    /// Where the next events of a consumer are.
    private struct Place {
        var sequence: Int64
        var file: Int64
        var offset: Int
    }

    private let directory: String
    private let capacity: Int
    /// Oldest first; nil before the first use.
    private var files: [File]?
    /// Appends to the last file.
    private var writer: SpoolWriter?
    /// The last file ends with a whole record: it can be gone on with.
    private var isLastWhole = false
    private var last: Int64 = 0
    private var cursors: [String: Int64] = [:]
    private var places: [String: Place] = [:]
    /// Those that have asked, or are configured, since the start: what they miss is told.
    private var known: Set<String> = []
    private var lost: Int64 = 0
    private var isFailing = false

    init(directory: String, capacity: Int) {
        self.directory = directory
        self.capacity = capacity
    }

    static func now() -> String { WallTime.now.rfc3339 }

    // MARK: Writing

    /// Events that never came here.
    mutating func noteLoss(_ count: Int64) { lost += count }

    mutating func append(_ event: Listing.Event) -> Outcome {
        var outcome = Outcome()
        do throws(FileError) {
            try open()
            if lost > 0 {
                let notice = Self.dropped(lost, like: event)
                try write(notice)
                outcome.dropped.append(notice)
                lost = 0
            }
            try write(event)
            isFailing = false
            if let notice = makeRoom(like: event) {
                outcome.dropped.append(notice)
                try write(notice)
            }
        } catch {
            lost += 1
            if !isFailing { outcome.failure = "\(error)" }
            isFailing = true
        }
        return outcome
    }

    private mutating func write(_ event: Listing.Event) throws(FileError) {
        let sequence = last + 1
        let record = SpoolRecord.line(Admin.StoredEvent(sequence: sequence, event: event))
        if (files?.last?.bytes ?? capacity) + record.count > capacity / Self.parts || writer == nil && !isLastWhole {
            try begin(sequence)
        } else if writer == nil, let file = files?.last {
            writer = try SpoolWriter(path(of: file.first))
        }
        guard let failure = writer?.append(record) else {
            last = sequence
            if let index = files?.indices.last { files?[index].bytes += record.count }
            return
        }
        // What may be torn is not written behind.
        (writer, isLastWhole) = (nil, false)
        throw failure
    }

    /// A new file, whose first record is to be `sequence`.
    private mutating func begin(_ sequence: Int64) throws(FileError) {
        let path = path(of: sequence)
        // One of that name has no whole record.
        if files?.last?.first == sequence { files?.removeLast() }
        try SmallFile.write([], to: path, mode: 0o600)
        writer = try SpoolWriter(path)
        files?.append(File(first: sequence, bytes: 0))
        isLastWhole = true
    }

    /// Removes the oldest files of a full spool; tells what somebody has not had.
    private mutating func makeRoom(like event: Listing.Event) -> Listing.Event? {
        var missed: Int64 = 0
        while let all = files, all.count > 1, all.reduce(0, { $0 + $1.bytes }) > capacity {
            let next = all[1].first
            let behind = known.map { cursors[$0] ?? 0 }.min() ?? last
            missed += max(0, next - max(all[0].first, behind + 1))
            // One that cannot be removed is tried at the next start.
            try? SmallFile.remove(path(of: all[0].first))
            files?.removeFirst()
        }
        return missed > 0 ? Self.dropped(missed, like: event) : nil
    }

    /// LVA's event of what was dropped, of all instances; its topic is that of the others.
    private static func dropped(_ count: Int64, like event: Listing.Event) -> Listing.Event {
        let time = now()
        return Listing.Event(
            time: time, type: "Microsoft.Media.Graph.Diagnostics.DataDropped", camera: nil,
            detail: "\(count) events of media graphs were dropped before they were delivered to everyone",
            graph: GraphEvent(
                topic: event.graph?.topic ?? "", subject: "/graphInstances", eventTime: time,
                body: .object(["dataType": .string("events"), "count": .integer(count)])))
    }

    // MARK: Reading

    mutating func events(for consumer: String, after: Int64, limit: Int) throws(FileError) -> [Admin.StoredEvent] {
        try open()
        note(consumer)
        let wanted = max(cursors[consumer] ?? 0, after) + 1
        var place = start(of: wanted, for: consumer)
        var found: [Admin.StoredEvent] = []
        while let here = place, found.isEmpty {
            let piece = try SpoolRecord.read(path(of: here.file), at: here.offset, count: Self.pieceLength)
            var offset = piece.next
            for record in piece.records where record.event.sequence >= wanted {
                found.append(record.event)
                guard found.count >= limit else { continue }
                offset = record.end
                break
            }
            if piece.next == here.offset {
                // The end of a file, or what a crash tore.
                place = files?.first { $0.first > here.file }.map {
                    Place(sequence: $0.first, file: $0.first, offset: 0)
                }
            } else {
                place = Place(sequence: here.sequence, file: here.file, offset: offset)
            }
        }
        if let lastFound = found.last, let here = place {
            places[consumer] = Place(sequence: lastFound.sequence + 1, file: here.file, offset: here.offset)
        }
        return found
    }

    private func start(of wanted: Int64, for consumer: String) -> Place? {
        guard wanted <= last else { return nil }
        if let place = places[consumer], place.sequence == wanted,
            files?.contains(where: { $0.first == place.file }) == true
        {
            return place
        }
        let file = files?.last { $0.first <= wanted } ?? files?.first
        return file.map { Place(sequence: wanted, file: $0.first, offset: 0) }
    }

    /// What is known without a look at the disk.
    struct Counters: Sendable {
        var before: Int64 = 0
        var last: Int64 = 0
        var cursors: [String: Int64] = [:]

        func waiting(for consumer: String) -> Int64 { max(0, last - max(cursors[consumer] ?? 0, before)) }
    }

    var counters: Counters { Counters(before: (files?.first?.first ?? last + 1) - 1, last: last, cursors: cursors) }

    // MARK: Cursors

    /// False when there are so many consumers that this one is not remembered.
    mutating func acknowledge(_ sequence: Int64, by consumer: String) throws(FileError) -> Bool {
        try open()
        note(consumer)
        guard cursors[consumer] != nil || cursors.count < Self.mostConsumers else { return false }
        let sequence = min(sequence, last)
        if sequence > cursors[consumer] ?? 0 { try write(cursor: sequence, of: consumer) }
        return true
    }

    private mutating func note(_ consumer: String) {
        if places.count >= Self.mostConsumers { places = [:] }
        if known.count < Self.mostConsumers { known.insert(consumer) }
    }

    mutating func configure(_ consumers: Set<String>, prefix: String) throws(FileError) {
        try open()
        for consumer in consumers where cursors[consumer] == nil { try write(cursor: last, of: consumer) }
        for (consumer, _) in cursors where consumer.hasPrefix(prefix) && !consumers.contains(consumer) {
            try SmallFile.remove("\(directory)/cursors/\(consumer)")
            cursors[consumer] = nil
        }
        known = known.filter { !$0.hasPrefix(prefix) }.union(consumers)
    }

    private mutating func write(cursor: Int64, of consumer: String) throws(FileError) {
        try SmallFile.write(Array("\(cursor)\n".utf8), to: "\(directory)/cursors/\(consumer)", mode: 0o600)
        cursors[consumer] = cursor
    }

    // MARK: Opening

    /// Looks what is there, once.
    private mutating func open() throws(FileError) {
        guard files == nil else { return }
        try SmallFile.makeDirectory(directory + "/cursors")
        for name in Directory.entries(directory + "/cursors") where !name.hasPrefix(".") {
            let bytes = try SmallFile.read("\(directory)/cursors/\(name)", limit: 64)
            cursors[name] = bytes.flatMap { Self.sequence(String(decoding: $0.filter { $0 > 32 }, as: UTF8.self)) }
        }
        var found: [File] = []
        for name in Directory.entries(directory).sorted() where name.hasSuffix(".events") {
            guard let first = Self.sequence(name.dropLast(".events".count)), first > 0 else { continue }
            found.append(File(first: first, bytes: try SpoolRecord.length(of: "\(directory)/\(name)")))
        }
        if let file = found.last {
            let end = try end(of: file)
            (last, isLastWhole) = (end.sequence, end.offset == file.bytes)
        }
        // A cursor beyond is of a spool that is gone: its numbers are not given out again.
        last = max(last, cursors.values.max() ?? 0)
        files = found
    }

    /// The last sequence of a file that holds together, and where it ends.
    private func end(of file: File) throws(FileError) -> (sequence: Int64, offset: Int) {
        var (sequence, offset) = (file.first - 1, 0)
        while true {
            let piece = try SpoolRecord.read(path(of: file.first), at: offset, count: Self.pieceLength)
            guard piece.next > offset else { return (sequence, offset) }
            sequence = piece.records.last?.event.sequence ?? sequence
            offset = piece.next
        }
    }

    /// Nil for what no spool of ours has.
    private static func sequence(_ text: some StringProtocol) -> Int64? {
        Int64(text).flatMap { (0...(1 << 60)).contains($0) ? $0 : nil }
    }

    private func path(of first: Int64) -> String {
        let digits = "\(first)"
        return "\(directory)/\(String(repeating: "0", count: max(0, 20 - digits.utf8.count)))\(digits).events"
    }
}
