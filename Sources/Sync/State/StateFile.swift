import CLinux
import Foundation
import Glibc

/// A small file of JSON in `<state>`: what must outlive the catalog, which may be deleted at any time (I6).
struct StateFile<Value: Codable> {
    let path: String

    /// Nil when there is none; one that does not decode is an error, since nothing vouches for what it said.
    func read() throws(SyncError) -> Value? {
        let descriptor = cvr_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw failure("read") }
        do { return try JSONDecoder().decode(Value.self, from: Data(bytes.prefix(count))) } catch {
            throw SyncError(.failed, "\(path) is damaged", nextStep: "mount all disks, then remove it")
        }
    }

    /// By rename; on return it survives a power cut.
    func write(_ value: Value) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
        let temporary = path + ".new"
        let descriptor = cvr_open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o640)
        guard descriptor >= 0 else { throw failure("create") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw failure("write")
        }
        guard rename(temporary, path) == 0 else { throw failure("replace") }
        let folder = cvr_open(path.parent, O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { throw failure("open the folder of") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("sync the folder of") }
    }

    private func failure(_ operation: String) -> SyncError {
        SyncError(
            errno == ENOSPC || errno == EDQUOT ? .noSpace : .failed,
            "\(operation) \(path): \(String(cString: strerror(errno)))", nextStep: "check the state disk")
    }
}

extension String {
    /// The folder that a path is in.
    var parent: String { lastIndex(of: "/").map { String(self[..<$0]) } ?? "/" }
}
