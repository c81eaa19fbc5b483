import Foundation
import GRDB
import Recording

/// Reading columns without trusting them: a damaged file gives an error, never a trap (I9).
extension Row {
    func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        guard let value = Value.fromDatabaseValue(self[column] as DatabaseValue) else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT, message: "a value of \(column) that no build of ours writes")
        }
        return value
    }

    func value<Value: DatabaseValueConvertible>(at column: Int) throws -> Value {
        guard let value = Value.fromDatabaseValue(self[column] as DatabaseValue) else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT, message: "a value of column \(column) that no build of ours writes")
        }
        return value
    }

    func optional<Value: DatabaseValueConvertible>(_ column: String) throws -> Value? {
        (self[column] as DatabaseValue).isNull ? nil : try value(column)
    }

    func time(_ column: String) throws -> WallTime { WallTime(microseconds: try value(column)) }

    func span(_ column: String) throws -> TimeSpan { TimeSpan(microseconds: try value(column)) }

    /// A column whose text is one of a type's raw values; `read` answers nil for any other.
    func word<Word>(_ column: String, _ read: (String) -> Word?) throws -> Word {
        let text: String = try value(column)
        guard let word = read(text) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "'\(text)' is not a \(column)")
        }
        return word
    }
}

extension SegmentID {
    init(_ row: Row) throws { self.init(session: try row.value("session"), counter: try row.value("counter")) }
}

extension SegmentRow {
    init(_ row: Row) throws {
        let fragments = FragmentTable.decode(Array(try row.value("fragments") as Data))
        let tracks: [MediaIndex.Track]
        do {
            tracks = try JSONDecoder().decode(
                [MediaIndex.Track].self, from: Data((try row.value("tracks") as String).utf8))
        } catch let error as DecodingError {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "tracks: \(error)")
        }
        guard let fragments else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a torn fragment table") }
        let checksum: Int64? = try row.optional("checksum")
        // A catalog that its writer has not brought up to date yet has no such column.
        let format: Int64? = row.hasColumn("format") ? try row.optional("format") : nil
        self.init(
            camera: try row.word("camera") { CameraName($0) }, id: try SegmentID(row), key: try row.value("key"),
            start: try row.time("start"), duration: try row.span("duration"), bytes: try row.value("bytes"),
            media: MediaIndex(
                initLength: try row.value("initLength"), mediaEnd: try row.value("mediaEnd"), fragments: fragments,
                tracks: tracks, frames: try row.value("frames"), codecs: try row.value("codecs"),
                format: format.map { UInt32(truncatingIfNeeded: $0) }),
            checksum: checksum.map { UInt32(truncatingIfNeeded: $0) },
            state: try row.word("state", SegmentState.init(rawValue:)), isLocal: try row.value("isLocal"),
            isUncertain: try row.value("isUncertain"), isRead: try row.value("isRead"))
    }

    /// What an INSERT of `arguments` names: a column that a newer build added breaks none.
    static let insertion: String = {
        let columns = SegmentColumn.allCases.map(\.rawValue)
        return "segment (\(columns.joined(separator: ", "))) VALUES (:\(columns.joined(separator: ", :")))"
    }()

    var arguments: StatementArguments {
        get throws {
            let tracks = String(decoding: try JSONEncoder().encode(media.tracks), as: UTF8.self)
            return [
                "camera": camera.text, "session": id.session, "counter": id.counter, "key": key,
                "start": start.microseconds, "duration": duration.within(start).microseconds, "bytes": bytes,
                "initLength": media.initLength, "mediaEnd": media.mediaEnd,
                "fragments": Data(FragmentTable.encode(media.fragments)), "tracks": tracks, "frames": media.frames,
                "codecs": media.codecs, "checksum": checksum.map { Int64($0) }, "state": state.rawValue,
                "isLocal": isLocal, "isUncertain": isUncertain, "isRead": isRead,
                "format": media.format.map { Int64($0) },
            ]
        }
    }
}

extension TimeSpan {
    /// A damaged record may say anything: what is kept of a length ends before time does, and not before it began.
    func within(_ start: WallTime) -> TimeSpan { max(.zero, min(self, .latest - start)) }
}

extension GapRow {
    init(_ row: Row) throws {
        let end: Int64? = try row.optional("end")
        self.init(
            sequence: try row.value("sequence"), session: try row.value("session"),
            gap: Gap(
                from: try row.time("start"), to: end.map { WallTime(microseconds: $0) },
                reason: GapReason(rawValue: try row.value("reason")) ?? .unknown, detail: try row.value("detail")))
    }
}

extension EvictionRow {
    init(_ row: Row) throws {
        self.init(
            id: try SegmentID(row), start: try row.time("start"), duration: try row.span("duration"),
            bytes: try row.value("bytes"), reason: try row.value("reason"))
    }
}

extension SegmentExtent {
    /// By position, in the order of the query's columns: a million rows are read for a year, names would be half of it.
    init(_ row: Row) throws {
        let number = { (column: Int) throws -> Int64 in try row.value(at: column) }
        let state: String = try row.value(at: 4)
        guard let state = SegmentState(rawValue: state) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "'\(state)' is not a state")
        }
        self.init(
            place: SegmentPlace(
                start: WallTime(microseconds: try number(0)),
                id: SegmentID(session: try number(1), counter: try number(2))),
            duration: TimeSpan(microseconds: try number(3)), state: state,
            reason: state == .evicted ? try row.value(at: 5) : nil)
    }
}

extension CameraRow {
    init(_ row: Row) throws {
        let retention: Int64? = try row.optional("retention")
        self.init(
            name: try row.word("name") { CameraName($0) }, asset: try row.value("asset"),
            retention: retention.map { TimeSpan(microseconds: $0) })
        identity = try row.value("identity")
        if row.hasColumn("directory"), let directory: String = try row.optional("directory") {
            files = FileSink(directory: directory, maximumBytes: try row.optional("maximumBytes"))
        }
        journal = Position(offset: try row.value("journalOffset"), session: try row.value("journalSession"))
        ledger = try row.value("ledgerOffset")
    }
}
