import ArgumentParser
import Messages

struct UpgradeVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract:
            "Replace workers that do not run the installed build, one at a time, without a gap where possible.")

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        var last: Admin.UpgradeStep?
        try await admin.each("Upgrade", as: Admin.UpgradeStep.self, timeout: nil) { step in
            last = step
            admin.show(step) { _ in
                Terminal.plain("\(step.camera ?? "upgrade")  \(step.outcome)  \(step.detail)") + "\n"
            }
        }
        guard let last, last.outcome == Admin.UpgradeStep.Outcome.done.rawValue else {
            throw Complaint(
                .failed, code: "rolledBack", message: last?.detail ?? "cvrd did not say how it ended",
                nextStep: "See cvrctl events; every camera records on")
        }
    }
}
