package import Messages
package import Recording

/// What `cvrctl doctor` makes of facts about the box: pure, so that each finding can be shown.
///
/// Failed means that footage is, or will be, lost; a warning that it may be.
package enum Diagnosis {
    package typealias Check = Admin.Check

    // MARK: Clock

    /// `isSynchronised` is nil when nobody can tell.
    package static func clock(isSynchronised: Bool?, isTrusted: Bool) -> Check {
        if isSynchronised == true { return Check("clock", .ok, "the clock is synchronised") }
        if isTrusted { return Check("clock", .ok, "nobody synchronises the clock, which cvr.yaml vouches for") }
        let consequence = "footage may get wrong times, and none is deleted for its age"
        guard isSynchronised != nil else {
            return Check(
                "clock", .failed, "nobody can tell whether the clock is synchronised: \(consequence)",
                nextStep: "Run systemd-timesyncd (systemctl enable --now systemd-timesyncd); cvrd hears of other time "
                    + "services over D-Bus (apt install dbus); on a box without a network set clock: { trust: always }")
        }
        return Check(
            "clock", .failed, "nobody synchronises the clock: \(consequence)",
            nextStep: "Run a time service (systemctl enable --now systemd-timesyncd, or chrony); on a box without a "
                + "network set clock: { trust: always }")
    }

    // MARK: Service

    /// How cvrd runs.
    package struct Service: Hashable, Sendable {
        /// Of the one hierarchy; nil at its root.
        package var controlGroup: String?
        package var isNotifying: Bool
        package var isWatched: Bool
        package var isWithoutNewPrivileges: Bool

        package init(controlGroup: String?, isNotifying: Bool, isWatched: Bool, isWithoutNewPrivileges: Bool) {
            self.controlGroup = controlGroup
            self.isNotifying = isNotifying
            self.isWatched = isWatched
            self.isWithoutNewPrivileges = isWithoutNewPrivileges
        }
    }

    package static func service(_ service: Service) -> Check {
        let nextStep = "Run it as the shipped unit (systemctl enable --now cvrd)"
        guard service.isNotifying else {
            return Check(
                "service", .warning, "cvrd was started by hand: nothing restarts it when it ends", nextStep: nextStep
            )
        }
        let unit = service.controlGroup?.split(separator: "/").last.map { " as \($0)" } ?? ""
        var missing: [String] = []
        if !service.isWatched { missing.append("no watchdog (WatchdogSec=)") }
        if !service.isWithoutNewPrivileges { missing.append("processes may gain privileges (NoNewPrivileges=)") }
        guard missing.isEmpty else {
            return Check(
                "service", .warning, "systemd runs cvrd\(unit), but not as shipped: \(missing.joined(separator: ", "))",
                nextStep: "Check what overrides the unit (systemctl cat cvrd)")
        }
        return Check("service", .ok, "systemd runs cvrd\(unit), watches it and lets it gain no privileges")
    }

    // MARK: Descriptors

    /// Of cvrd itself, beside what its cameras and clients need.
    static let ownDescriptors = 64
    static let descriptorsPerCamera = 8

    package static func descriptors(limit: Int, cameras: Int) -> Check {
        let needed = ownDescriptors + descriptorsPerCamera * cameras + 64
        guard limit < needed else {
            return Check("descriptors", .ok, "cvrd may open \(limit) files, and needs at most \(needed)")
        }
        return Check(
            "descriptors", .failed,
            "cvrd may open \(limit) files, \(cameras) cameras may need \(needed): some will not be started",
            nextStep: "Raise LimitNOFILE= of cvrd.service to \(max(needed * 2, 1024))")
    }

    // MARK: Disks

    /// A fragment of 1 s must be on the disk before the next one is whole, beside everything else that happens there.
    package static let slowSync = TimeSpan.milliseconds(200)
    package static let tooSlowSync = TimeSpan.seconds(1)

    /// `name` is `cacheDisk` or `stateDisk`, `writers` how many cameras are recorded there.
    package static func disk(_ name: String, _ path: String, _ probe: DiskProbe.Result, writers: Int) -> Check {
        switch probe {
        case .silent:
            return Check(
                name, .failed, "\(path) does not answer", nextStep: "Check the disk (dmesg, smartctl) and its mount")
        case .failed(let why):
            return Check(
                name, .failed, "no file can be written to \(path): \(why)",
                nextStep: "Make it writable for cvrd's user; check that its disk is mounted and has room")
        case .measured(let times):
            return disk(name, path, median: times.median, slowest: times.highest, writers)
        }
    }

    private static func disk(
        _ name: String, _ path: String, median: TimeSpan, slowest: TimeSpan, _ writers: Int
    ) -> Check {
        let figures = "\(path) syncs 64 KiB in \(milliseconds(median)) (p50) and \(milliseconds(slowest)) (p99)"
        let together = median * Int64(max(writers, 1))
        let nextStep =
            "Move it to a faster disk (an SSD), stop what else writes there (iotop), and check its health (smartctl)"
        if slowest >= tooSlowSync || together >= tooSlowSync {
            return Check(
                name, .failed, "\(figures): too slow for \(max(writers, 1)) cameras that each write once a second",
                nextStep: nextStep)
        }
        if slowest >= slowSync || together >= .milliseconds(500) {
            return Check(name, .warning, "\(figures): little is left for busy times", nextStep: nextStep)
        }
        return Check(name, .ok, figures)
    }

    private static func milliseconds(_ span: TimeSpan) -> String {
        let tenths = span.microseconds / 100
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10) ms" : "\(tenths / 10) ms"
    }
}
