import ArgumentParser
import Messages
import Varlink

struct StatusVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show every camera's state, problems first.")

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        let status = try await admin.ask("Status", as: Admin.Status.self)
        admin.show(status) { StatusReport(status: status, now: Quantity.now()).text(for: $0) }
    }
}

struct SyncVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Show the state of uploads, start them now, or pause them.",
        subcommands: [Status.self, Now.self, Pause.self, Resume.self])

    @OptionGroup var global: GlobalOptions

    struct Status: Verb {
        static let configuration = CommandConfiguration(abstract: "Show the state of uploads.")

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            let sync = try await admin.ask("SyncStatus", as: Admin.SyncReport.self).sync
            admin.show(sync) { terminal in
                let head =
                    "sync \(sync.state), lag \(Quantity.duration(sync.lag)), breaker \(sync.breaker), "
                    + "\(sync.writes) writes, \(sync.retries) retries"
                let fault = sync.lastError.map { "sync: \(sentence($0.message)) \(sentence($0.nextStep))" }
                return ([head] + [fault].compactMap(\.self))
                    .map { wrapped($0, at: terminal.columns, indent: 2) }.joined()
            }
        }
    }

    struct Now: Verb {
        static let configuration = CommandConfiguration(abstract: "Upload all closed segments and wait for the result.")

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            let report = try await admin.ask("SyncNow", as: SyncInterface.PassReport.self, timeout: nil)
            guard report.failed == 0 else {
                throw Complaint(
                    .failed, code: "failed", message: "\(report.uploaded) uploaded, \(report.failed) failed",
                    nextStep: "See cvrctl sync status for the reason")
            }
            admin.show(report) { _ in "\(report.uploaded) uploaded.\n" }
        }
    }
}

extension SyncVerbs {
    struct Pause: Verb {
        static let configuration = CommandConfiguration(abstract: "Upload nothing until told to go on, over restarts.")

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            let done = try await admin.ask("SyncPause", as: VarlinkEmpty.self)
            admin.show(done) { _ in "Paused; recording goes on. To upload again: cvrctl sync resume\n" }
        }
    }

    struct Resume: Verb {
        static let configuration = CommandConfiguration(abstract: "Upload again.")

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            let done = try await admin.ask("SyncResume", as: VarlinkEmpty.self)
            admin.show(done) { _ in "Resumed.\n" }
        }
    }
}

struct ClockVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock", abstract: "Declare the clock correct.", subcommands: [Accept.self])

    @OptionGroup var global: GlobalOptions

    struct Accept: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Declare the clock correct after it moved; deletion by age resumes.")

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            let done = try await admin.ask("AcceptClock", as: VarlinkEmpty.self)
            admin.show(done) { _ in "Accepted.\n" }
        }
    }
}

struct ReloadVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Read the configuration again and apply what changed.")

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        let changes = try await admin.ask("Reload", as: Admin.Reloaded.self)
        admin.show(changes) { _ in
            let parts = [("added", changes.added), ("removed", changes.removed), ("changed", changes.changed)]
                .filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.joined(separator: ", "))" }
            return (parts.isEmpty ? "No camera changed.\n" : parts.joined(separator: "; ") + ".\n")
                + (changes.refused ?? []).map { "! \(Terminal.plain($0)).\n" }.joined()
        }
    }
}
