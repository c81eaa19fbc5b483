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

    /// What a record may be; a longer one is cut to its envelope, so that a piece always holds a whole one.
    private static let longest = 128 << 10

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

    /// Nil for anything but a whole one.
    private init?(_ line: ArraySlice<UInt8>, end: Int) {
        guard line.count > 9, line.dropFirst(8).first == UInt8(ascii: " ") else { return nil }
        let json = line.dropFirst(9)
        guard CRC32C(json).hex.utf8.elementsEqual(line.prefix(8)) else { return nil }
        // One of a newer build that this one cannot read.
        guard let event = try? JSONDecoder().decode(Admin.StoredEvent.self, from: Data(json)) else { return nil }
        (self.event, self.end) = (event, end)
    }

    /// The records in `count` bytes from `offset` on, and where the line after them begins: `offset` at the end of what is
    /// whole.
    ///
    /// A line that does not check costs itself only.
    static func read(
        _ path: String, at offset: Int, count: Int
    ) throws(FileError) -> (records: [SpoolRecord], next: Int) {
        let bytes = try piece(of: path, at: offset, count: count)
        var (records, rest) = ([SpoolRecord](), bytes[...])
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if let record = SpoolRecord(rest[..<newline], end: offset + newline + 1) { records.append(record) }
            rest = rest[(newline + 1)...]
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
