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
        case hung(Hang, String)
        /// It sends what no worker of this version sends (I9).
        case garbage(String)
        /// It is of another release, and cannot be talked to.
        case otherVersion(String)
        /// It records, but its socket is gone: it is to be succeeded.
        case unreachable(String)
    }

    /// Somebody else ended it, an operator or the kernel for want of memory, or it has only to be started again: its
    /// program is not to blame.
    var isOfOthers: Bool { ending == .killed }

    /// Judges the end of a process.
    ///
    /// - `told`: it had been told to stop.
    /// - `outOfMemory`: the kernel killed some process for memory in this one's last seconds.
    package init(
        _ status: ExitStatus, of name: String, told: Bool, condemned: Condemnation?, outOfMemory: Bool
    ) {
        if told {
            self.init(ending: .killed, gap: .stopped, fault: Self.force(status, name))
            return
        }
        switch condemned {
        case .hung(let kind, let why):
            self.init(kind, why, name)
            return
        case .garbage(let why):
            self.init(
                .crashed, .workerCrash, "workerGarbage", "\(name) sent invalid messages (\(why)) and was replaced",
                "Install cvrd and \(name) from one package")
            return
        case .otherVersion(let why):
            self.init(
                .killed, .stopped, "workerReplaced", "\(name) is of another release (\(why)) and was replaced",
                "None; if it recurs, install cvrd and \(name) from one package")
            return
        case .unreachable, nil: break
        }
        switch status {
        case .exited(let code): self.init(exitCode: code, name)
        case .signalled(let signal): self.init(signal: signal, name, outOfMemory: outOfMemory)
        case .unknown where outOfMemory:
            // Of an adopted process only its last words tell more, and it left none.
            self.init(
                .crashed, .workerCrash, "outOfMemory", "\(name) ended while the machine was out of memory",
                Self.moreMemory)
        case .unknown:
            self.init(.crashed, .workerCrash, "workerCrash", "\(name) ended with an unknown status", Self.report)
        }
    }

    /// A process that could not even be started.
    package init(notStarted name: String, _ why: String) {
        self.init(.crashed, .workerCrash, "notStarted", "\(name) could not be started: \(why)", "cvrd tries again")
    }

    /// One that goes on with its work, unheard.
    static func unreachable(_ name: String, _ why: String) -> Fault {
        Fault(
            code: "workerUnreachable", message: "\(name) records, but cannot be reached: \(why)",
            nextStep: "None: cvrd replaces it, without a gap where the camera allows")
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
            code: "stopForced", message: "\(name) was told to stop but ended otherwise (\(how))",
            nextStep: "Read its last lines in the log (journalctl -u cvrd); check the disk (dmesg, smartctl)")
    }

    private init(_ hang: Hang, _ why: String, _ name: String) {
        switch hang {
        case .frozen:
            self.init(
                .crashed, .workerHang, "workerFrozen", "\(name) was frozen (\(why)) and was replaced",
                "Find out what suspends processes here: SIGSTOP, a debugger, the cgroup freezer")
        case .liveLocked:
            self.init(
                .crashed, .workerHang, "workerLiveLocked", "\(name) was live-locked (\(why)) and was replaced",
                Self.report)
        case .asleep:
            self.init(
                .crashed, .workerHang, "workerHung", "\(name) hung (\(why)) and was replaced", Self.report)
        case .writesNothing:
            self.init(
                .crashed, .workerHang, "workerWritesNothing",
                "\(name) wrote nothing to the disk (\(why)) and was replaced",
                "Check the disk of the cache (dmesg, smartctl)")
        }
    }

    private static let moreMemory = "Add memory or record fewer cameras"
    private static let report = "If it recurs, report it with the log (journalctl -u cvrd)"

    private static let otherAddress =
        "Read its last line in the log (journalctl -u cvrd): stop what listens there (ss -ltnp), or choose another address "
        + "(playback.listen or gateway.listen in cvr.yaml); cvrd tries again"

    private init(signal: Int32, _ name: String, outOfMemory: Bool) {
        switch signal {
        case SIGKILL where outOfMemory:
            self.init(
                .crashed, .workerCrash, "outOfMemory", "\(name) was killed while the machine was out of memory",
                Self.moreMemory)
        case SIGKILL, SIGTERM, SIGINT:
            self.init(
                .killed, .workerCrash, "workerKilled", "\(name) was killed from outside (signal \(signal))",
                "None: it is started again; a camera is stopped by `cvrctl camera stop`")
        case SIGSYS:
            self.init(
                .crashed, .workerCrash, "sandboxViolation",
                "\(name) made a system call that its sandbox forbids and was killed",
                "Report it with the log (journalctl -u cvrd), which names the call: a defect of cvr, or an intrusion")
        default:
            self.init(.crashed, .workerCrash, "workerCrash", "\(name) crashed (signal \(signal))", Self.report)
        }
    }

    /// Exit codes after sysexits.h, as cvr-ingest, cvr-sync, cvr-playback and cvr-gateway document them.
    private init(exitCode code: Int32, _ name: String) {
        switch code {
        case 0:
            // One that stops in order journals its gap itself: what is left to explain was no stop.
            self.init(
                .crashed, .workerCrash, "workerStopped", "\(name) exited without having been told to (exit code 0)",
                "Use `cvrctl camera stop` to stop a camera; if nobody stopped it, report it with the log")
        case 64, 78:
            self.init(
                .refused, .workerCrash, "workerRefused", "\(name) refused to run (exit code \(code))",
                "Read its last lines in the log (journalctl -u cvrd), then run `cvrctl camera restart`")
        case 71:
            self.init(
                .crashed, .workerCrash, "memoryLimit", "\(name) reached its memory limit (exit code 71)",
                "Lower the camera's bit rate, set its keyframe interval to 1 to 2 s; report it if that does not help")
        case 73:
            self.init(
                .crashed, .workerCrash, "leftover", "another process records here (exit code 73)",
                "None: cvrd stops it and starts again; if it recurs, look for a second cvrd")
            leftover = true
        case 74:
            self.init(
                .crashed, .diskError, "diskError", "\(name) gave up on its disk (exit code 74)",
                "Read its last lines in the log (journalctl -u cvrd); check the disk of the cache (dmesg, smartctl)")
        case 72:
            self.init(
                .crashed, .workerCrash, "descriptorLimit", "\(name) reached its limit of open files (exit code 72)",
                Self.report)
        case 69:
            self.init(.crashed, .workerCrash, "cannotListen", "\(name) cannot listen (exit code 69)", Self.otherAddress)
        case 75:
            self.init(
                .killed, .cameraOffline, "workerOutdated", "\(name) is being restarted (exit code 75)",
                "None: a file or disk that its sandbox has to see was replaced, such as /etc/resolv.conf, or its configuration"
            )
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
