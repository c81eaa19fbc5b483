import Glibc
package import Isolation
package import Recording

/// What the end of a process means: for its next start, for the gap that its successor journals, for the operator.
package struct Departure: Hashable, Sendable {
    package var ending: RestartPolicy.Ending
    /// Reason of the gap that the process left, if it could not write one itself.
    package var gap: GapReason
    /// Nil when nothing went wrong.
    package var fault: Fault?
    /// Another process holds the lock that this one wanted.
    package var leftover = false

    /// Why we ended a process ourselves, without having been told to.
    package enum Condemnation: Error, Hashable, Sendable {
        case hung(String)
        /// It sends what no worker of this version sends (I9).
        case garbage(String)
        /// It is of another release, and cannot be talked to.
        case otherVersion(String)
    }

    /// Judges the end of a process.
    ///
    /// - `told`: it had been told to stop.
    /// - `outOfMemory`: the kernel killed some process for memory while this one lived.
    package init(
        _ status: ExitStatus, of name: String, told: Bool, condemned: Condemnation?, outOfMemory: Bool
    ) {
        if told {
            self.init(ending: .killed, gap: .stopped, fault: Self.force(status, name))
            return
        }
        switch condemned {
        case .hung(let why):
            self.init(.crashed, .workerHang, "workerHang", "\(name) hung (\(why)) and was replaced", Self.report)
            return
        case .garbage(let why):
            self.init(
                .crashed, .workerCrash, "workerGarbage", "\(name) sent garbage (\(why)) and was replaced",
                "Check that cvrd and \(name) come from the same release")
            return
        case .otherVersion(let why):
            self.init(
                .killed, .stopped, "workerReplaced", "\(name) is of another release (\(why)) and was replaced",
                "If it happens again, install cvrd and \(name) from one release")
            return
        case nil: break
        }
        switch status {
        case .exited(let code): self.init(exitCode: code, name)
        case .signalled(let signal): self.init(signal: signal, name, outOfMemory: outOfMemory)
        case .unknown:
            self.init(.crashed, .workerCrash, "workerCrash", "\(name) ended while nobody watched", Self.report)
        }
    }

    /// A process that could not even be started.
    package init(notStarted name: String, _ why: String) {
        self.init(.crashed, .workerCrash, "notStarted", "\(name) could not be started: \(why)", "cvrd tries again")
    }

    /// A stop as told that was none, and may have cost the end of a segment.
    private static func force(_ status: ExitStatus, _ name: String) -> Fault? {
        let how: String
        switch status {
        case .exited(0), .unknown: return nil
        case .exited(let code): how = "exit code \(code)"
        case .signalled(let signal): how = "signal \(signal)"
        }
        return Fault(
            code: "stopForced", message: "\(name) was told to stop and ended otherwise (\(how))",
            nextStep: "Read its last lines in the log (journalctl -u cvrd); check the disk (dmesg, smartctl)")
    }

    private static let report = "Report it with the log (journalctl -u cvrd) if it happens again"

    private init(signal: Int32, _ name: String, outOfMemory: Bool) {
        switch signal {
        case SIGKILL where outOfMemory:
            self.init(
                .crashed, .workerCrash, "outOfMemory", "\(name) was killed while the machine was out of memory",
                "Give the machine more memory or record fewer cameras")
        case SIGKILL, SIGTERM, SIGINT:
            self.init(
                .killed, .workerCrash, "workerKilled", "\(name) was killed from outside (signal \(signal))",
                "Use `cvrctl camera stop` to stop a camera")
        case SIGSYS:
            self.init(
                .crashed, .workerCrash, "sandboxViolation",
                "\(name) made a system call that its sandbox forbids and was killed",
                "Report it with the log (journalctl -u cvrd), which names the call: a fault of cvr, or an intruder")
        default:
            self.init(.crashed, .workerCrash, "workerCrash", "\(name) crashed (signal \(signal))", Self.report)
        }
    }

    /// Exit codes after sysexits.h, as cvr-ingest and cvr-sync document them.
    private init(exitCode code: Int32, _ name: String) {
        switch code {
        case 0:
            self.init(
                .killed, .stopped, "workerKilled", "\(name) was stopped by somebody else",
                "Use `cvrctl camera stop` to stop a camera")
        case 64, 78:
            self.init(
                .refused, .workerCrash, "workerRefused", "\(name) refused to run (exit code \(code))",
                "Read its last lines in the log (journalctl -u cvrd), then run `cvrctl camera restart`")
        case 73:
            self.init(
                .crashed, .workerCrash, "leftover", "another process records here (exit code 73)",
                "cvrd stops it and starts again; if this stays, look for a second cvrd")
            leftover = true
        case 74:
            self.init(
                .crashed, .diskError, "diskError", "\(name) gave up on its disk (exit code 74)",
                "Read its last lines in the log (journalctl -u cvrd); check the disk of the cache (dmesg, smartctl)")
        case 75:
            self.init(
                .killed, .cameraOffline, "workerOutdated", "\(name) is started anew (exit code 75)",
                "None: what its sandbox let it see was replaced by something else, such as /etc/resolv.conf or a disk")
        default:
            self.init(.crashed, .workerCrash, "workerCrash", "\(name) crashed (exit code \(code))", Self.report)
        }
    }

    private init(
        _ ending: RestartPolicy.Ending, _ gap: GapReason, _ code: String, _ message: String, _ nextStep: String
    ) {
        self.init(ending: ending, gap: gap, fault: Fault(code: code, message: message, nextStep: nextStep))
    }

    private init(ending: RestartPolicy.Ending, gap: GapReason, fault: Fault?) {
        self.ending = ending
        self.gap = gap
        self.fault = fault
    }
}
