import Foundation
import Recording
import TestSupport
import Testing

/// etc/man/cvrctl.8 against the parser's own description of itself.
@Suite("Documentation: cvrctl(8)", .timeLimit(.minutes(1)))
struct CvrctlManualTests {
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

    let page: ManualPage

    init() throws { page = try ManualPage("cvrctl.8") }

    static func dump() async throws -> Command {
        let done = try await run("\(Repository.binaries)/cvrctl", ["--experimental-dump-help"])
        return try JSONDecoder().decode(Dump.self, from: done.output).command
    }

    @Test("names every verb of the parser, and no other")
    func verbs() async throws {
        let named = try page.section("VERBS").tags.compactMap {
            $0.firstMatch(of: /(?:^\.B |\\fB)cvrctl ([a-z ]+)(?:$|\\fR)/).map { String($0.output.1) }
        }
        #expect(Set(named) == Set(try await Self.dump().verbs()))
    }

    @Test("names every option of the parser, and no other")
    func options() async throws {
        let sections = [try page.section("OPTIONS"), try page.section("VERBS")]
        let text = sections.flatMap(\.tags).map(ManualPage.plain)
        let named = text.flatMap { $0.matches(of: /(?:^|[\s\[])(--?[a-z][a-z-]*)/) }.map { String($0.output.1) }
        #expect(Set(named) == (try await Self.dump().options))
    }

    @Test("names every finding of doctor, and no other")
    func findings() throws {
        let verbs = try page.section("VERBS").lines
        let doctor = verbs.drop { $0 != ".B cvrctl doctor" }.drop { $0 != ".RS" }.prefix { $0 != ".RE" }
        // `Check("name"`, and of the disks `("name", path, writers)`.
        let named = try SourceFiles.below("Sources/Supervision").flatMap { file in
            file.literals.filter {
                $0.before.hasSuffix("Check(") || file.path.hasSuffix("+Doctor.swift") && $0.before.hasSuffix("(")
            }
        }
        #expect(named.count > 10)
        #expect(Set(ManualPage.Section(title: "", lines: Array(doctor)).terms) == Set(named.map(\.text)))
    }

    @Test("names every exit code that there is")
    func exitCodes() throws {
        let source = try SourceFiles.below("Sources/cvrctl").first { $0.text.contains("enum ExitStatus: Int32") }
        let codes = try #require(source).text.matches(of: /case \w+ = (\d+)/).map { String($0.output.1) }
        #expect(try page.section("EXIT STATUS").terms == codes)
    }

    @Test("names every state and every reason, and no other")
    func words() throws {
        let states = try page.section("States of a camera").terms
        #expect(Set(states) == Set(CameraState.allCases.map(\.rawValue)))
        let reasons = try page.section("Reasons of gaps").terms
        #expect(Set(reasons) == Set(GapReason.allCases.map(\.rawValue)))
        let segments = try page.section("States of a segment").lines
        for state in SegmentState.allCases {
            #expect(segments.contains { $0.split(separator: " ").dropFirst().first.map(String.init) == state.rawValue })
        }
    }

    /// What is wrong about them would be wrong usage; that nobody answers there is not.
    @Test("its examples are commands that cvrctl takes")
    func examples() async throws {
        let commands = page.examples.joined().replacing("\\\n", with: "").split(separator: "\n")
        #expect(commands.count > 2)
        for command in commands {
            let words = command.prefix { $0 != "|" }.split(separator: " ").map(String.init)
            #expect(words.first == "cvrctl")
            let arguments = ["--socket", "/nowhere/admin.sock"] + words.dropFirst()
            let done = try await run("\(Repository.binaries)/cvrctl", arguments)
            #expect(done.ending == .exited(4), "\(command): \(done.ending) \(done.errors)")
        }
    }
}
