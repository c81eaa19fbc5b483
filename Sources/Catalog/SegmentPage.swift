import Foundation
import GRDB
import GRDBSQLite
import Recording

/// Rows of one camera's segments as a query returns them, read by column numbers that are looked up once: a day has
/// thousands, and a manifest of it is made while somebody waits.
///
/// Without trusting them: a damaged file gives an error or another value, never a trap (I9).
struct SegmentPage {
    private let camera: CameraName
    private var rows: [SegmentRow] = []
    /// JSON of each row, without the brackets around all: one decoder for all of them.
    private var tracks = Data("[".utf8)

    /// `statement` selects all columns of `segment`, in any order.
    static func fetch(
        _ statement: Statement, _ arguments: StatementArguments, of camera: CameraName
    ) throws -> [SegmentRow] {
        let columns = try Columns(statement)
        var page = SegmentPage(camera: camera)
        let cursor = try Row.fetchCursor(statement, arguments: arguments)
        while try cursor.next() != nil { try page.add(columns) }
        return try page.complete()
    }

    private init(camera: CameraName) { self.camera = camera }

    private mutating func add(_ columns: Columns) throws {
        guard let fragments = FragmentTable.decode(columns.bytes(.fragments)) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a torn fragment table")
        }
        let word = columns.text(.state)
        guard let state = SegmentState(rawValue: word) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "'\(word)' is not a state")
        }
        if !rows.isEmpty { tracks.append(UInt8(ascii: ",")) }
        tracks.append(contentsOf: columns.bytes(.tracks))
        let media = MediaIndex(
            initLength: try columns.number(.initLength), mediaEnd: try columns.number(.mediaEnd), fragments: fragments,
            frames: try columns.number(.frames), codecs: columns.text(.codecs),
            format: try columns.optional(.format).map { UInt32(truncatingIfNeeded: $0) })
        rows.append(
            SegmentRow(
                camera: camera,
                id: SegmentID(session: try columns.number(.session), counter: try columns.number(.counter)),
                key: columns.text(.key), start: WallTime(microseconds: try columns.number(.start)),
                duration: TimeSpan(microseconds: try columns.number(.duration)), bytes: try columns.number(.bytes),
                media: media, checksum: try columns.optional(.checksum).map { UInt32(truncatingIfNeeded: $0) },
                state: state, isLocal: try columns.number(.isLocal) != 0,
                isUncertain: try columns.number(.isUncertain) != 0, isRead: try columns.number(.isRead) != 0))
    }

    private func complete() throws -> [SegmentRow] {
        let all: [[MediaIndex.Track]]
        do {
            all = try JSONDecoder().decode([[MediaIndex.Track]].self, from: tracks + "]".utf8)
        } catch let error as DecodingError {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "tracks: \(error)")
        }
        guard all.count == rows.count else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "tracks of other rows")
        }
        var complete = rows
        for (index, tracks) in all.enumerated() { complete[index].media.tracks = tracks }
        return complete
    }
}

/// The columns of `segment`.
enum SegmentColumn: String, CaseIterable {
    case camera, session, counter, key, start, duration, bytes, initLength, mediaEnd, fragments, tracks, frames, codecs
    case checksum, state, isLocal, isUncertain, isRead, format
}

/// Where a statement has them.
private struct Columns {
    private let statement: OpaquePointer
    /// By column's position in the list of all; -1 for one that an older catalog does not have.
    private let numbers: [CInt]

    init(_ statement: Statement) throws {
        self.statement = statement.sqliteStatement
        let names = statement.columnNames
        numbers = try SegmentColumn.allCases.map { column in
            if let index = names.firstIndex(of: column.rawValue) { return CInt(index) }
            guard column == .format else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "no column \(column)")
            }
            return -1
        }
    }

    /// SQLite would make a number of anything.
    func number(_ column: SegmentColumn) throws -> Int64 {
        guard sqlite3_column_type(statement, self[column]) == SQLITE_INTEGER else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT, message: "a value of \(column) that no build of ours writes")
        }
        return sqlite3_column_int64(statement, self[column])
    }

    func optional(_ column: SegmentColumn) throws -> Int64? {
        guard self[column] >= 0, sqlite3_column_type(statement, self[column]) != SQLITE_NULL else { return nil }
        return try number(column)
    }

    func text(_ column: SegmentColumn) -> String { String(decoding: buffer(column), as: UTF8.self) }

    func bytes(_ column: SegmentColumn) -> [UInt8] { Array(buffer(column)) }

    /// Until the next step.
    private func buffer(_ column: SegmentColumn) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(statement, self[column])
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, self[column])))
    }

    private subscript(_ column: SegmentColumn) -> CInt {
        SegmentColumn.allCases.firstIndex(of: column).map { numbers[$0] } ?? -1
    }
}
