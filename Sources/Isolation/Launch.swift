import CLinux

/// What is to be started: a program, its arguments and its whole environment.
package struct Launch: Hashable, Sendable {
    package var executable: String
    package var arguments: [String]
    package var environment: [String]

    package init(executable: String, arguments: [String], environment: [String] = Launch.inheritedEnvironment()) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
    }

    /// Our own environment without what systemd gave to us alone (I10, sd_notify(3), sd_listen_fds(3)).
    package static func inheritedEnvironment() -> [String] {
        var entries: [String] = []
        var next = cvr_environ()
        while let slot = next, let entry = slot.pointee {
            entries.append(String(cString: entry))
            next = slot.advanced(by: 1)
        }
        return entries.filter { !isOurs($0.prefix { $0 != "=" }) }
    }

    private static func isOurs(_ name: Substring) -> Bool {
        name == "NOTIFY_SOCKET" || name == "CREDENTIALS_DIRECTORY" || name.hasPrefix("WATCHDOG_")
            || name.hasPrefix("LISTEN_")
    }
}
