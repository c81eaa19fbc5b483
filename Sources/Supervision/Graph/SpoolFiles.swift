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

    /// Where a consumer may read on: behind each of the events that it was last given.
    private struct Place {
        var file: Int64
        var ends: [(sequence: Int64, offset: Int)]
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
    /// Sequences before which the disk lost records, as it was told.
    private var damaged: Set<Int64> = []
    /// What befell the spool itself; whoever tells it takes it away.
    var notices: [Listing.Event] = []

    init(directory: String, capacity: Int) {
        self.directory = directory
        self.capacity = capacity
    }

    static let droppedType = "Microsoft.Media.Graph.Diagnostics.DataDropped"

    static func now() -> String { WallTime.now.rfc3339 }

    // MARK: Writing

    /// Events that never came here.
    mutating func noteLoss(_ count: Int64) { lost += count }

    mutating func append(_ event: Listing.Event) -> Outcome {
        var outcome = Outcome()
        do throws(FileError) {
            try open()
            if lost > 0 {
                let notice = Self.lost(lost, like: event)
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
        return missed > 0 ? Self.lost(missed, like: event) : nil
    }

    private static func lost(_ count: Int64, like event: Listing.Event) -> Listing.Event {
        dropped(
            count, like: event, "\(count) events of media graphs were dropped before they were delivered to everyone")
    }

    /// LVA's event of what was dropped, of all instances; its topic is that of the others.
    static func dropped(_ count: Int64 = 1, like event: Listing.Event, _ words: String) -> Listing.Event {
        let time = now()
        return Listing.Event(
            time: time, type: droppedType, camera: nil, detail: words,
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
        while let (file, offset) = place {
            let piece = try SpoolRecord.read(path(of: file), at: offset, from: wanted, limit: limit)
            if !piece.records.isEmpty {
                places[consumer] = Place(file: file, ends: piece.records.map { ($0.event.sequence, $0.end) })
                noteDamage(piece.records, from: wanted)
                return piece.records.map(\.event)
            }
            // At the end of a file, or before what a crash tore, it goes on in the next.
            place = piece.next > offset ? (file, piece.next) : files?.first { $0.first > file }.map { ($0.first, 0) }
        }
        return []
    }

    private func start(of wanted: Int64, for consumer: String) -> (file: Int64, offset: Int)? {
        guard wanted <= last else { return nil }
        if let place = places[consumer], let end = place.ends.last(where: { $0.sequence + 1 == wanted }),
            files?.contains(where: { $0.first == place.file }) == true
        {
            return (place.file, end.offset)
        }
        let file = files?.last { $0.first <= wanted } ?? files?.first
        return file.map { ($0.first, 0) }
    }

    /// Sequences have no holes: what is missing was written, and cannot be read any more.
    ///
    /// It is told once, by an event for everyone too.
    private mutating func noteDamage(_ records: [SpoolRecord], from wanted: Int64) {
        var expected = max(wanted, files?.first?.first ?? wanted)
        if damaged.count > Self.mostConsumers { damaged = [] }
        for sequence in records.map(\.event.sequence) {
            defer { expected = sequence + 1 }
            guard sequence > expected, damaged.insert(sequence).inserted else { continue }
            lost += sequence - expected
            notices.append(
                Self.notice(
                    type: "graphEventsLost",
                    "events \(expected) to \(sequence - 1) of media graphs cannot be read from \(directory), and reach "
                        + "nobody but `cvrctl events`; check the disk"))
        }
    }

    static func notice(type: String, _ words: String) -> Listing.Event {
        Listing.Event(time: now(), type: type, camera: nil, detail: words)
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
            cursors[name] = readCursor(name)
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

    /// One that is there and says nothing is that of a consumer that has had nothing: rather twice than not at all.
    private mutating func readCursor(_ name: String) -> Int64 {
        let path = "\(directory)/cursors/\(name)"
        // Why it cannot be read changes nothing: the next acknowledgement writes it anew.
        let bytes = try? SmallFile.read(path, limit: 64)
        if let bytes, let cursor = Self.sequence(String(decoding: bytes.filter { $0 > 32 }, as: UTF8.self)) {
            return cursor
        }
        notices.append(
            Self.notice(
                type: "graphEventsRepeated",
                "\(path) is damaged: \(name) gets all events of media graphs again that are on disk; check the disk"))
        return 0
    }

    /// The last sequence of a file that holds together, and where its record ends.
    private func end(of file: File) throws(FileError) -> (sequence: Int64, offset: Int) {
        var (end, offset) = ((sequence: file.first - 1, offset: 0), 0)
        while true {
            let piece = try SpoolRecord.read(path(of: file.first), at: offset)
            guard piece.next > offset else { return end }
            if let record = piece.records.last { end = (record.event.sequence, record.end) }
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
