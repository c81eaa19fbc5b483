import CLinux
import Glibc

/// What /proc says; nil for whatever is gone.
package enum ProcessFacts {
    /// Field 22 of `/proc/<pid>/stat`: with the pid, unique between two boots.
    package static func startTime(of pid: Int32) -> UInt64? {
        statFields(of: pid)?.dropFirst(19).first.flatMap { UInt64($0) }
    }

    /// True while the process sits in an uninterruptible system call: a disk that does not answer.
    ///
    /// No signal reaches it there, SIGKILL included.
    package static func isStuckInDisk(_ pid: Int32) -> Bool { statFields(of: pid)?.first == "D" }

    package static func arguments(of pid: Int32) -> [String] {
        (read("/proc/\(pid)/cmdline") ?? []).split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Changes with every boot; empty when /proc is not mounted.
    package static func bootID() -> String {
        let bytes = read("/proc/sys/kernel/random/boot_id") ?? []
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// How many processes the kernel has killed for memory since boot, on the whole machine.
    package static func outOfMemoryKills() -> UInt64? {
        String(decoding: read("/proc/vmstat") ?? [], as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("oom_kill ") }
            .flatMap { UInt64($0.dropFirst("oom_kill ".count)) }
    }

    /// The fields after the program's name, which may itself hold blanks and parentheses.
    private static func statFields(of pid: Int32) -> [Substring]? {
        guard let bytes = read("/proc/\(pid)/stat") else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static func read(_ path: String) -> [UInt8]? {
        let fd = cvr_open(path, O_RDONLY, 0)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while bytes.count < 1 << 18 {
            let count = Glibc.read(fd, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += chunk.prefix(count)
        }
        return bytes
    }
}
