package import Messages
package import Recording

/// Findings about where footage is served: none of them says that any is lost.
extension Diagnosis {
    /// A certificate that a person renews: enough time to do so.
    private static let leastNotice = TimeSpan.seconds(14 * 86_400)

    /// Nil where nothing is to be served.
    package static func playback(_ playback: Admin.Playback) -> Check? {
        let words = playback.lastError.map { ": \($0.message)" } ?? ""
        let address = playback.listen ?? ""
        switch playback.state {
        case "off": return nil
        case "running": return Check("playback", .ok, "footage is served at \(address)")
        case "starting":
            return Check(
                "playback", .warning, "footage is not served at \(address) yet\(words)",
                nextStep: playback.lastError?.nextStep ?? "Run doctor again in a minute")
        default:
            return Check(
                "playback", .warning, "no footage is served at \(address)\(words)",
                nextStep: playback.lastError?.nextStep
                    ?? "Find out why cvr-playback does not keep running (journalctl -u cvrd)")
        }
    }

    /// Until when the certificate of `playback.tls` is valid.
    package static func certificate(validUntil end: WallTime, now: WallTime) -> Check {
        let left = (end - now).seconds
        let nextStep = "Put a new certificate into the file of playback.tls.certificate and run `cvrctl reload`"
        if left <= 0 {
            return Check(
                "certificate", .warning, "the certificate of playback ended \(end.rfc3339): browsers refuse it",
                nextStep: nextStep)
        }
        guard left < leastNotice.seconds else {
            return Check("certificate", .ok, "the certificate of playback is valid for \(duration(left))")
        }
        return Check(
            "certificate", .warning, "the certificate of playback ends in \(duration(left))", nextStep: nextStep)
    }
}
