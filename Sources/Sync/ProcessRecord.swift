import CLinux
import Foundation
import Glibc
import SegmentStore

/// This process as cvrd finds it in the run directory; written by rename.
struct ProcessRecord: Codable, Hashable {
    static let protocolVersion: Int64 = 1

    var pid: Int32
    /// Field 22 of `/proc/<pid>/stat`: a pid that was given out again has another.
    var startTime: Int64
    var bootID: String
    var build: String
    var `protocol`: Int64

    init(build: String) throws {
        let status = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8)
        // The name, in parentheses, may hold anything; field 3 follows it.
        let fields = status[(status.lastIndex(of: ")") ?? status.startIndex)...].split(separator: " ").dropFirst()
        pid = getpid()
        startTime = fields.dropFirst(19).first.flatMap { Int64($0) } ?? 0
        bootID = LockHolder.currentBootID
        self.build = build
        `protocol` = Self.protocolVersion
    }

    func write(to path: String) throws {
        try (try JSONEncoder().encode(self) + Data("\n".utf8)).write(to: URL(filePath: path), options: .atomic)
    }
}

/// The right to be the only one: flock(2), held until it is dropped or the process ends, however it ends (I7).
final class ProcessLock: Sendable {
    private let descriptor: Int32

    /// Throws with code `locked` when another process has it.
    init(_ path: String) throws(SyncError) {
        descriptor = cvr_open(path, O_RDWR | O_CREAT, 0o640)
        guard descriptor >= 0 else {
            throw SyncError(
                .failed, "open \(path): \(String(cString: strerror(errno)))",
                nextStep: "let the service's user write this directory")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw SyncError(.locked, "another cvr-sync holds \(path)", nextStep: "stop it first")
        }
    }

    deinit { close(descriptor) }
}
