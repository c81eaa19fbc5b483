internal import CLinux
internal import CSystemd

/// The way to tell systemd how this service is (sd_notify(3)); nobody hears it when something else started us.
///
/// Only the main process may speak: children do not inherit the socket's address.
package struct NotifySocket: Sendable {
    package enum News: Hashable, Sendable {
        case ready
        /// Until the next `ready`.
        case reloading
        case stopping
        /// One line for `systemctl status`.
        case status(String)
        /// The work goes on: another period of the watchdog.
        case alive
        /// What is under way now may take so long, from now on.
        case needs(Duration)
    }

    package init() {}

    /// In one datagram, so that nothing comes between.
    package func tell(_ news: News...) {
        // A systemd that cannot be reached judges by what it does not hear; there is nobody else to tell.
        _ = sd_notify(0, Self.text(news, at: cvr_clock_microseconds(CLOCK_MONOTONIC)))
    }

    /// How long systemd waits for `alive` before it replaces this process; nil when it does not.
    package var patience: Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0, microseconds > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    /// `now` is CLOCK_MONOTONIC's, in microseconds.
    package static func text(_ news: [News], at now: Int64) -> String {
        news.map { news in
            switch news {
            case .ready: "READY=1"
            // systemd 253 and later want to know when it began; 252 passes over that.
            case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(now)"
            case .stopping: "STOPPING=1"
            case .status(let text): "STATUS=\(text.replacing("\n", with: " "))"
            case .alive: "WATCHDOG=1"
            case .needs(let time): "EXTEND_TIMEOUT_USEC=\(time.components.seconds * 1_000_000)"
            }
        }
        .joined(separator: "\n")
    }
}
