import CLinux
import Glibc

/// What /proc says; nil for whatever is gone.
package enum ProcessFacts {
    /// Field 22 of `/proc/<pid>/stat`: with the pid, unique between two boots.
    package static func startTime(of pid: Int32) -> UInt64? {
        statFields(of: pid)?.dropFirst(19).first.flatMap { UInt64($0) }
    }

    /// What the process is doing right now.
    package static func activity(of pid: Int32) -> ProcessActivity? {
        guard let fields = statFields(of: pid), let letter = fields.first, fields.count > 12,
            let user = Int64(fields[11]), let system = Int64(fields[12])
        else { return nil }
        let ticksPerSecond = max(Int64(sysconf(Int32(_SC_CLK_TCK))), 1)
        let milliseconds = user.addingReportingOverflow(system).partialValue.multipliedReportingOverflow(by: 1000)
        return ProcessActivity(
            state: ProcessActivity.State(letter: letter),
            processorTime: .milliseconds(milliseconds.partialValue / ticksPerSecond))
    }

    /// Who started the process, or who took it over; nil at the top.
    package static func parent(of pid: Int32) -> Int32? {
        statFields(of: pid)?.dropFirst(1).first.flatMap { Int32($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    package static func arguments(of pid: Int32) -> [String] {
        (read("/proc/\(pid)/cmdline") ?? []).split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Changes with every boot; empty when /proc is not mounted.
    package static func bootID() -> String {
        let bytes = read("/proc/sys/kernel/random/boot_id") ?? []
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// How many processes the kernel has killed for memory: of our own control group where it counts them, which is
    /// every process of the service, else of the whole machine.
    package static func outOfMemoryKills() -> UInt64? {
        ownControlGroup().flatMap { outOfMemoryKills(in: "/sys/fs/cgroup\($0)/memory.events") }
            ?? outOfMemoryKills(in: "/proc/vmstat")
    }

    /// Our place in the one hierarchy (cgroups(7)); nil without it, and at its root, which counts nothing.
    package static func ownControlGroup() -> String? {
        lines(of: "/proc/self/cgroup").first { $0.hasPrefix("0::/") && $0 != "0::/" }.map { String($0.dropFirst(3)) }
    }

    /// Set by NoNewPrivileges=, and inherited by all that we start.
    package static func cannotGainPrivileges() -> Bool {
        lines(of: "/proc/self/status").contains { $0.hasPrefix("NoNewPrivs:") && $0.hasSuffix("1") }
    }

    private static func outOfMemoryKills(in path: String) -> UInt64? {
        lines(of: path).first { $0.hasPrefix("oom_kill ") }.flatMap { UInt64($0.dropFirst("oom_kill ".count)) }
    }

    private static func lines(of path: String) -> [Substring] {
        String(decoding: read(path) ?? [], as: UTF8.self).split(separator: "\n")
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
