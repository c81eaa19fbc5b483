import CLinux
import Checksums
import FoundationEssentials
import Glibc
import JSON
import Messages
import YAMLConfiguration

/// One event in a file of the spool: `<crc32c> <JSON of the stored event>\n`, the CRC in 8 hex digits and of the JSON.
struct SpoolRecord {
    var event: Admin.StoredEvent
    /// In the file: where the next one begins.
    var end: Int

    /// What a record may be, so that a piece always holds a whole one.
    ///
    /// Twice the longest message for an input, which is passed on whole; what no event of ours is, is cut to its envelope.
    private static let longest = 512 << 10
    /// What is read at a time; more of it where that holds no whole line.
    private static let usualPiece = 64 << 10
    private static let longestPiece = longest + usualPiece

    static func line(_ event: Admin.StoredEvent) -> [UInt8] {
        var event = event
        var text = json(event)
        if text.count > longest {
            event.event.graph?.body = .object([:])
            event.event.detail = String(event.event.detail.prefix(1000))
            text = json(event)
        }
        return Array(CRC32C(text).hex.utf8) + [UInt8(ascii: " ")] + text + [UInt8(ascii: "\n")]
    }

    private static func json(_ event: Admin.StoredEvent) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // It has no numbers that JSON has no word for.
        return (try? encoder.encode(event)).map(Array.init) ?? []
    }

    /// Nil for anything but a whole one; what a power cut left of zeros before it is passed over.
    private init?(_ line: ArraySlice<UInt8>, end: Int) {
        let line = line.drop { $0 == 0 }
        guard line.count > 9, line.dropFirst(8).first == UInt8(ascii: " ") else { return nil }
        let json = line.dropFirst(9)
        guard CRC32C(json).hex.utf8.elementsEqual(line.prefix(8)) else { return nil }
        // One of a newer build that this one cannot read.
        guard let event = try? JSONDecoder().decode(Admin.StoredEvent.self, from: Data(json)) else { return nil }
        (self.event, self.end) = (event, end)
    }

    /// The first records from `offset` on whose sequence is `wanted` or more, up to `limit`, and where to read on: at
    /// `offset` at the end of what is whole.
    ///
    /// A line that does not check costs itself only.
    static func read(
        _ path: String, at offset: Int, from wanted: Int64 = 1, limit: Int = .max
    ) throws(FileError) -> (records: [SpoolRecord], next: Int) {
        var bytes = try piece(of: path, at: offset, count: usualPiece)
        let newline = UInt8(ascii: "\n")
        if bytes.count == usualPiece, !bytes.contains(newline) {
            bytes = try piece(of: path, at: offset, count: longestPiece)
            // No record of ours. What ends it may be one that zeros stand before.
            if bytes.count == longestPiece, !bytes.contains(newline) {
                return ([], offset + max(usualPiece, bytes.prefix { $0 == 0 }.count))
            }
        }
        var (records, rest) = ([SpoolRecord](), bytes[...])
        while records.count < limit, let end = rest.firstIndex(of: newline) {
            if let record = SpoolRecord(rest[..<end], end: offset + end + 1), record.event.sequence >= wanted {
                records.append(record)
            }
            rest = rest[(end + 1)...]
        }
        return (records, offset + rest.startIndex)
    }

    static func length(of path: String) throws(FileError) -> Int {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw FileError("read", path, errno, nextStep: "check the disk") }
        return Int(facts.st_size)
    }

    private static func piece(of path: String, at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        let file = cvr_open(path, O_RDONLY, 0)
        // Dropped meanwhile.
        if file < 0, errno == ENOENT { return [] }
        guard file >= 0 else { throw FileError("open", path, errno, nextStep: "make it readable for cvrd") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = pread(file, &bytes, count, off_t(offset))
        guard got >= 0 else { throw FileError("read", path, errno, nextStep: "check the disk") }
        return Array(bytes.prefix(got))
    }
}

/// Appends to one file of the spool: each record is on the disk when `append` returns.
final class SpoolWriter: Sendable {
    private let path: String
    private let file: Int32

    init(_ path: String) throws(FileError) {
        self.path = path
        file = cvr_open(path, O_WRONLY | O_APPEND, 0)
        guard file >= 0 else { throw FileError("open", path, errno, nextStep: "make it writable for cvrd") }
    }

    deinit { close(file) }

    /// Nil once it is on the disk.
    func append(_ record: [UInt8]) -> FileError? {
        let written = write(file, record, record.count)
        guard written == record.count else {
            return FileError(
                "write", path, written < 0 ? errno : ENOSPC, nextStep: "free space on the disk of the state directory")
        }
        guard fdatasync(file) == 0 else { return FileError("fdatasync", path, errno, nextStep: "check the disk") }
        return nil
    }
}
