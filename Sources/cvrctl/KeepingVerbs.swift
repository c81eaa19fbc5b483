import ArgumentParser
import Messages
import Recording
import Varlink

struct HoldVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keep footage from being deleted, whatever its age.",
        subcommands: [Add.self, Remove.self, List.self])

    @OptionGroup var global: GlobalOptions

    struct Add: Verb {
        static let configuration = CommandConfiguration(abstract: "Hold a camera's footage of a time.")

        @Argument(help: "The camera's name.", completion: .cameras)
        var camera: String

        @Option(help: ArgumentHelp("Start of the range, RFC 3339.", valueName: "time"), transform: FootageOptions.time)
        var from: String

        @Option(help: ArgumentHelp("End of the range.", valueName: "time"), transform: FootageOptions.time)
        var to: String

        @Option(help: ArgumentHelp("Why, for whoever reads the list.", valueName: "text"))
        var reason: String?

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            let request = Listing.HoldRequest(camera: camera, from: from, to: to, reason: reason)
            let hold = try await admin.ask("HoldAdd", request, as: Listing.AddedHold.self).hold
            admin.show(hold) { _ in "Held as \(hold.id).\n" }
        }
    }

    struct Remove: Verb {
        static let configuration = CommandConfiguration(abstract: "Lift a hold; what is too old is then deleted.")

        @Argument(help: "The hold's id, from cvrctl hold list.")
        var id: String

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            let done = try await admin.ask("HoldRemove", Listing.HoldID(id: id), as: VarlinkEmpty.self)
            admin.show(done) { _ in "Lifted.\n" }
        }
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(abstract: "List holds as the store has them.")

        @Argument(help: "The camera's name (default: all).", completion: .cameras)
        var camera: String?

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            let query = Listing.HoldQuery(camera: camera)
            let holds = try await admin.ask("HoldList", query, as: Listing.Holds.self).holds
            admin.show(holds) { terminal in
                if holds.isEmpty { return "No holds.\n" }
                var table = Table([
                    .init(title: "CAMERA"), .init(title: "FROM"), .init(title: "TO"), .init(title: "ID"),
                    .init(title: "CREATED", dispensability: 2), .init(title: "REASON", dispensability: 1),
                ])
                for hold in holds {
                    table.add([hold.camera, hold.from, hold.to, hold.id, hold.created, hold.reason], isAlarming: false)
                }
                return table.text(for: terminal)
            }
        }
    }
}

struct AdoptVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Take over the store of a box that this one replaces.")

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        let adopted = try await admin.ask("Adopt", as: Listing.Adopted.self, timeout: nil)
        admin.show(adopted) { _ in
            adopted.cameras.isEmpty
                ? "Adopted; the store holds no camera's footage.\n"
                : "Adopted: \(adopted.cameras.map(\.name).joined(separator: ", ")).\n"
        }
    }
}

struct VerifyVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compare catalog, cache and store, and repair what can be repaired.")

    @Argument(help: "The camera's name (default: all).", completion: .cameras)
    var camera: String?

    @Flag(help: "Compare every byte: objects are read back where the store keeps no checksum.")
    var deep = false

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        var total = Listing.Verified(checked: 0, findings: [])
        let request = Listing.VerifyRequest(camera: camera, deep: deep)
        try await admin.each("Verify", request, as: Listing.Verified.self, timeout: nil) { part in
            total += part
            guard !admin.printsJSON else { return }
            for finding in part.findings { Terminal.write(Self.line(finding)) }
        }
        admin.show(total) { _ in
            let more = total.omitted.map { " and \($0) more that are not named" } ?? ""
            return "\(total.checked) segments verified, \(total.findings.count) findings\(more).\n"
        }
        guard total.isSound else { throw ExitStatus.failed }
    }

    private static func line(_ finding: Listing.Finding) -> String {
        let outcome = finding.repaired ? "repaired" : "not repaired"
        let line = "\(finding.camera)  \(finding.kind)  \(outcome)  \(finding.key): \(finding.detail)"
        return Terminal.plain(line) + "\n"
    }
}
