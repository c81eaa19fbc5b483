import ArgumentParser
import Messages

struct DoctorVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Examine the box: clock, disks, store, service, cameras.")

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        let terminal = Terminal()
        var checks: [Admin.Check] = []
        try await admin.each("Doctor", as: Admin.Checks.self) { reply in
            checks += reply.checks
            // Each as it comes: the disks take some seconds.
            if !admin.printsJSON { for check in reply.checks { Terminal.write(Self.lines(check, terminal)) } }
        }
        admin.show(checks) { _ in Self.summary(checks) }
        // What failed was said: nothing is to be added, but the exit code.
        if checks.contains(where: { $0.verdict == Admin.Check.Verdict.failed.rawValue }) { throw ExitStatus.failed }
    }

    private static func lines(_ check: Admin.Check, _ terminal: Terminal) -> String {
        let subject = check.name + (check.camera.map { " \($0)" } ?? "")
        let isOK = check.verdict == Admin.Check.Verdict.ok.rawValue
        let advice = isOK || check.nextStep.isEmpty ? "" : " \(sentence(check.nextStep))"
        let text = wrapped(
            "\(check.verdict) \(subject): \(sentence(check.message))\(advice)", at: terminal.columns - 2, indent: 2
        ).dropLast().replacing("\n", with: "\n  ")
        return (isOK ? "  " + text : terminal.alarming("! " + text)) + "\n"
    }

    private static func summary(_ checks: [Admin.Check]) -> String {
        func count(_ verdict: Admin.Check.Verdict) -> Int { checks.count { $0.verdict == verdict.rawValue } }
        return "\n\(checks.count) checks: \(count(.failed)) failed, \(count(.warning)) warnings.\n"
    }
}
