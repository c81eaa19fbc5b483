import Foundation
import Testing

/// etc/man/cvrctl.8 against the parser's own description of itself.
@Suite("cvrctl: manual", .timeLimit(.minutes(1)))
struct ManualTests {
    struct Dump: Decodable { var command: Command }

    struct Command: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable { var kind: String, name: String }
            var names: [Name]?
            var shouldDisplay: Bool
        }

        var commandName: String
        var arguments: [Argument]?
        var subcommands: [Command]?

        /// `camera add`; only what can be carried out.
        func verbs(after parents: [String] = []) -> [String] {
            guard let subcommands, !subcommands.isEmpty else { return [parents.joined(separator: " ")] }
            return subcommands.flatMap { $0.verbs(after: parents + [$0.commandName]) }
        }

        var options: Set<String> {
            let own = (arguments ?? []).filter(\.shouldDisplay).flatMap { $0.names ?? [] }.map {
                ($0.kind == "long" ? "--" : "-") + $0.name
            }
            return Set(own).union((subcommands ?? []).flatMap(\.options))
        }
    }

    /// The page without its font changes and escapes.
    static func page() throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "etc/man/cvrctl.8"), encoding: .utf8)
        return text.replacing("\\-", with: "-").replacing(/\\f[BIR]/, with: "").split(separator: "\n").map(String.init)
    }

    static func dump() async throws -> Command {
        let outcome = try await ScriptedCvrd.cvrctl(["--experimental-dump-help"])
        return try JSONDecoder().decode(Dump.self, from: Data(outcome.output.utf8)).command
    }

    @Test("names every verb of the parser, and no other")
    func verbs() async throws {
        let entries = try Self.page().compactMap { line in
            line.wholeMatch(
                of: /(?:\.B )?cvrctl ([a-z]+(?: (?:add|remove|start|stop|restart|status|now|accept)\b)?)(?: .*)?/)
        }
        // The examples repeat verbs.
        #expect(Set(entries.map { String($0.output.1) }) == Set(try await Self.dump().verbs()))
    }

    @Test("names every option of the parser, and no other")
    func options() async throws {
        let named = try Self.page().flatMap { $0.matches(of: /(?:^|[\s\[])(--?[a-z][a-z-]*)/) }
        let options = Set(named.map { String($0.output.1) })
        let known = try await Self.dump().options
        #expect(options == known)
    }

    @Test("names every exit code that there is")
    func exitCodes() async throws {
        let page = try Self.page()
        let start = try #require(page.firstIndex(of: ".SH EXIT STATUS"))
        let section = page[start...].dropFirst().prefix { !$0.hasPrefix(".SH") }
        let codes = section.compactMap { $0.wholeMatch(of: /\.B (\d+)/).map { String($0.output.1) } }
        #expect(codes == ["0", "1", "2", "3", "4", "5"])
    }

    @Test("is a page that man can show without a complaint")
    func renders() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let groff = ["/usr/bin/groff", "-man", "-Tutf8", "-P-cbou", "-ww", root.path + "/etc/man/cvrctl.8"]
        let outcome = try await ScriptedCvrd.run(groff, input: "", environment: [:])
        #expect(outcome.status == 0 && outcome.complaint == "" && outcome.output.contains("EXIT STATUS"))
    }
}
