import CLinux
import Catalog
import Checksums
import Foundation
import Glibc
import Recording

/// What cvr-sync itself did or was told that no media file and no journal says: `<cache>/<camera>/ledger`.
///
/// Without it a rebuilt catalog would not know which footage was dropped or expired, nor the asset and retention of
/// a camera that was removed (I6). One record a line: CRC-32C of the rest, a space, JSON. A record is appended with
/// one write and fdatasync before the deed that it announces; a torn or damaged line is skipped.
struct Ledger {
    enum Record: Hashable, Codable, Sendable {
        /// The footage is given up.
        case evicted(session: Int64, counter: Int64, start: Int64, duration: Int64, bytes: Int64, reason: String)
        case policy(asset: String, retention: Int64?)
        /// Another box recorded until `from`, this one since `to`.
        case replaced(from: Int64, to: Int64)
    }

    private let path: String

    /// `cache` is the camera's existing directory.
    init(cache: String) { path = cache + "/ledger" }

    func append(_ record: Record) throws(SyncError) {
        let descriptor = cvr_open(path, O_RDWR | O_CREAT | O_APPEND, 0o640)
        guard descriptor >= 0 else { throw failure("open") }
        defer { close(descriptor) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json: [UInt8]
        do { json = Array(try encoder.encode(record)) } catch {
            throw SyncError(.failed, "encode \(record): \(error)", nextStep: "report this as a defect")
        }
        var line = Array("\(CRC32C(json).hex) ".utf8) + json + [UInt8(ascii: "\n")]
        // A crash may have torn the last line: a new one must not be glued to it.
        var last: UInt8 = UInt8(ascii: "\n")
        let length = lseek(descriptor, 0, SEEK_END)
        if length > 0, pread(descriptor, &last, 1, length - 1) != 1 { throw failure("read") }
        if last != UInt8(ascii: "\n") { line.insert(UInt8(ascii: "\n"), at: 0) }
        guard write(descriptor, line, line.count) == line.count, fdatasync(descriptor) == 0 else {
            throw failure("write")
        }
    }

    /// Records from `offset` on, at most about a mebibyte of them, and where the next ones begin.
    func read(from offset: Int64) throws(SyncError) -> (records: [Record], next: Int64) {
        let descriptor = cvr_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT { return ([], 0) }
            throw failure("open")
        }
        defer { close(descriptor) }
        let length = Int64(lseek(descriptor, 0, SEEK_END))
        let start = offset <= length ? max(0, offset) : 0
        var bytes = [UInt8](repeating: 0, count: Int(min(length - start, 1 << 20)))
        let got = bytes.isEmpty ? 0 : pread(descriptor, &bytes, bytes.count, off_t(start))
        guard got >= 0 else { throw failure("read") }
        guard let end = bytes.prefix(got).lastIndex(of: UInt8(ascii: "\n")) else { return ([], start) }
        let lines = bytes[...end].split(separator: UInt8(ascii: "\n"))
        return (lines.compactMap(Self.parse), start + Int64(end) + 1)
    }

    private static func parse(_ line: ArraySlice<UInt8>) -> Record? {
        let json = line.dropFirst(9)
        guard line.count > 9, String(decoding: line.prefix(8), as: UTF8.self) == CRC32C(json).hex else { return nil }
        // A record of a newer build says nothing to this one.
        return try? JSONDecoder().decode(Record.self, from: Data(json))
    }

    private func failure(_ operation: String) -> SyncError {
        SyncError(
            errno == ENOSPC || errno == EDQUOT ? .noSpace : .failed,
            "\(operation) \(path): \(String(cString: strerror(errno)))", nextStep: "check the cache's disk")
    }
}

extension Ledger.Record {
    init(_ eviction: EvictionRow) {
        self = .evicted(
            session: eviction.id.session, counter: eviction.id.counter, start: eviction.start.microseconds,
            duration: eviction.duration.microseconds, bytes: eviction.bytes, reason: eviction.reason)
    }
}
