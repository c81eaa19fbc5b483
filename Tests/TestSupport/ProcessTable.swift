package import Foundation

/// A process of a box, as /proc shows it.
package struct BoxProcess: Hashable, Sendable {
    package let pid: pid_t
    /// Base name of its program: `cvrd`, `cvr-ingest`, `cvr-sync`, `cvr-playback` or `cvr-preview`.
    package let program: String
    package let arguments: [String]
    /// When it started: since boot, in steps of the kernel's clock tick.
    package let started: Duration

    /// The value behind `--camera`.
    package var camera: String? {
        arguments.firstIndex(of: "--camera").flatMap { arguments.dropFirst($0 + 1).first }
    }

    /// Processes of our programs that have `root` in their arguments.
    package static func all(of root: String) -> [BoxProcess] {
        all { _, arguments in arguments.contains { $0.hasPrefix(root + "/") } }
    }

    /// Processes of our programs in the container that process `leader` is the init of.
    package static func all(inContainerOf leader: pid_t) -> [BoxProcess] {
        guard let container = processNumbers(of: leader) else { return [] }
        return all { pid, _ in processNumbers(of: pid) == container }
    }

    /// The namespace of a process's number; nil when it is gone.
    private static func processNumbers(of pid: pid_t) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/pid")  // gone
    }

    private static func all(where isMember: (pid_t, [String]) -> Bool) -> [BoxProcess] {
        let programs: Set = ["cvrd", "cvr-ingest", "cvr-sync", "cvr-playback", "cvr-gateway", "cvr-preview"]
        return ProcessTable.pids().compactMap { pid in
            // A process that went meanwhile has no files here.
            guard let arguments = words(of: pid, "cmdline"), isMember(pid, arguments),
                let program = arguments.first?.split(separator: "/").last.map(String.init), programs.contains(program),
                let stat = contents("/proc/\(pid)/stat"), let afterName = stat.split(separator: ")").last
            else { return nil }
            let fields = afterName.split(separator: " ")
            guard fields.count > 19, fields[0] != "Z", let ticks = Int(fields[19]) else { return nil }
            return BoxProcess(
                pid: pid, program: program, arguments: arguments,
                started: .milliseconds(ticks * 1000 / sysconf(Int32(_SC_CLK_TCK))))
        }
    }

    /// Time since boot, on the clock of `started`.
    package static var bootTime: Duration {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
    }

    package var age: Duration { Self.bootTime - started }

    /// What it used of processors, and all children that it has waited for.
    package var processorTime: Duration {
        get throws {
            guard let afterName = Self.contents("/proc/\(pid)/stat")?.split(separator: ")").last else {
                throw Missed("\(program) \(pid) is gone")
            }
            let ticks = afterName.split(separator: " ").dropFirst(11).prefix(4).compactMap { Int($0) }.reduce(0, +)
            return .milliseconds(ticks * 1000 / sysconf(Int32(_SC_CLK_TCK)))
        }
    }

    /// What it has in memory now, and the most that it had since it began, in bytes (proc_pid_status(5)).
    package var residentBytes: (now: Int, peak: Int) {
        get throws {
            let lines = Self.contents("/proc/\(pid)/status")?.split(separator: "\n") ?? []
            let sizes = ["VmRSS:", "VmHWM:"].map { name in
                lines.first { $0.hasPrefix(name) }.flatMap { Int($0.filter(\.isNumber)) }
            }
            guard let now = sizes[0], let peak = sizes[1] else { throw Missed("\(program) \(pid) is gone") }
            return (now << 10, peak << 10)
        }
    }

    package var openDescriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
    }

    /// NUL-separated words of a file in a process's directory; nil when it may not be read or is gone.
    static func words(of pid: pid_t, _ file: String) -> [String]? {
        contents("/proc/\(pid)/\(file)")?.split(separator: "\0").map(String.init)
    }

    private static func contents(_ path: String) -> String? {
        // Processes come and go while the table is read.
        (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Every process of the machine.
enum ProcessTable {
    static func pids() -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
    }
}
