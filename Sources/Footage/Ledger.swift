import CLinux
import Checksums
import Foundation
import Glibc
package import Recording
package import SegmentStore

/// What cvr-sync itself did or was told that no media file and no journal says: `<cache>/<camera>/ledger`.
///
/// Without it a rebuilt catalog would not know which footage was dropped or expired, nor the asset and retention of
/// a camera that was removed (I6). One record a line: CRC-32C of the rest, a space, JSON. A record is appended with
/// one write and fdatasync before the deed that it announces; a torn or damaged line is skipped.
package struct Ledger: Sendable {
    package enum Record: Hashable, Codable, Sendable {
        /// The footage is given up.
        case evicted(session: Int64, counter: Int64, start: Int64, duration: Int64, bytes: Int64, reason: String)
        /// `directory` is where the camera's sessions become files.
        case policy(asset: String, retention: Int64?, directory: String? = nil, maximumBytes: Int64? = nil)
        /// Another box recorded until `from`, this one since `to`.
        case replaced(from: Int64, to: Int64)
        /// The sink is about to give a file that is whole, and on the disk, its name.
        case filing(File)
        /// It has it.
        case written(path: String)
        /// All files of a session are written.
        case filed(session: Int64)
        /// A file of the sink is removed, for its maximum.
        case removed(path: String)
    }

    /// A file of the camera's sink: which part of which session, from when to when, and what it is; times in
    /// microseconds, the checksum a CRC-32C of all of it.
    package struct File: Hashable, Codable, Sendable {
        package var path: String
        package var session: Int64
        package var part: Int64
        package var start: Int64
        package var end: Int64
        package var bytes: Int64
        package var checksum: UInt32

        package init(
            path: String, session: Int64, part: Int64, start: Int64, end: Int64, bytes: Int64, checksum: UInt32
        ) {
            (self.path, self.session, self.part) = (path, session, part)
            (self.start, self.end, self.bytes, self.checksum) = (start, end, bytes, checksum)
        }
    }

    package let path: String

    /// `cache` is the camera's existing directory.
    package init(cache: String) { path = cache + "/ledger" }

    /// Records from `offset` on, at most about a mebibyte of them, and where the next ones begin.
    package func read(from offset: Int64) throws(SegmentStoreError) -> (records: [Record], next: Int64) {
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

    private func failure(_ operation: String) -> SegmentStoreError {
        SegmentStoreError(operation: operation, path: path, errno: errno)
    }
}

extension Gap {
    package init(replacingBoxFrom from: WallTime, to: WallTime) {
        self.init(
            from: from, to: to, reason: .boxReplaced, detail: "the box that recorded before was replaced by this one")
    }
}
