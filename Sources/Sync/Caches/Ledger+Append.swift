import CLinux
import Catalog
import Checksums
import Footage
import Foundation
import Glibc
import Recording

extension Ledger {
    /// With one write and fdatasync: on return it survives a power cut.
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

    private func failure(_ operation: String) -> SyncError {
        SyncError(
            errno == ENOSPC || errno == EDQUOT ? .noSpace : .failed,
            "\(operation) \(path): \(String(cString: strerror(errno)))", nextStep: "check the cache's disk")
    }
}

extension Ledger.File {
    init(_ file: SinkFile) {
        self.init(
            path: file.path, session: file.session, part: file.part, start: file.start.microseconds,
            end: file.end.microseconds, bytes: file.bytes, checksum: file.checksum)
    }
}

extension SinkFile {
    init(_ file: Ledger.File) {
        self.init(
            path: file.path, session: file.session, part: file.part, start: WallTime(microseconds: file.start),
            end: WallTime(microseconds: file.end), bytes: file.bytes, checksum: file.checksum)
    }
}

extension Ledger.Record {
    init(_ eviction: EvictionRow) {
        self = .evicted(
            session: eviction.id.session, counter: eviction.id.counter, start: eviction.start.microseconds,
            duration: eviction.duration.microseconds, bytes: eviction.bytes, reason: eviction.reason)
    }
}
