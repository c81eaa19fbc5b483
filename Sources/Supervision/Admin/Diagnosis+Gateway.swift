package import Messages

/// Findings about the network's way to media graphs, and about those that their events go to.
extension Diagnosis {
    /// None where cvr.yaml has no gateway.
    package static func gateway(_ gateway: Admin.Gateway) -> [Check] {
        let words = gateway.lastError.map { ": \($0.message)" } ?? ""
        switch gateway.state {
        case "off": return []
        case "running":
            let place = gateway.listen.map { " at \($0)" } ?? ""
            return [Check("gateway", .ok, "cvr-gateway works\(place)")] + gateway.consumers.compactMap(receiver)
        default:
            return [
                Check(
                    "gateway", .warning, "cvr-gateway does not work: events wait on disk, nobody is answered\(words)",
                    nextStep: gateway.lastError?.nextStep
                        ?? "Run doctor again in a minute, then find out why it does not keep running (journalctl -u cvrd)"
                )
            ]
        }
    }

    /// Nil for one that takes events.
    private static func receiver(_ receiver: Admin.EventReceiver) -> Check? {
        guard receiver.state == "away" else { return nil }
        let words = receiver.lastError.map { ": \($0.message)" } ?? ""
        return Check(
            "gateway", .warning, "\(receiver.name) takes no events, \(receiver.waiting) wait on disk\(words)",
            nextStep: receiver.lastError?.nextStep ?? "Check the broker or the webhook, and the network")
    }
}
