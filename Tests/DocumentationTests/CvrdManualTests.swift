import Foundation
import TestSupport
import Testing

/// etc/man/cvrd.8 against cvrd's own help and its sources.
@Suite("Documentation: cvrd(8)", .timeLimit(.minutes(1)))
struct CvrdManualTests {
    let page: ManualPage

    init() throws { page = try ManualPage("cvrd.8") }

    static func help() async throws -> String {
        let done = try await run("\(Repository.binaries)/cvrd", ["--help"])
        #expect(done.ending == .exited(0))
        return done.text
    }

    static func options(in text: String) -> Set<String> {
        Set(text.matches(of: /(?:^|[\s\[])(--?[a-z][a-z-]*)/).map { String($0.output.1) })
    }

    @Test("names every option, and no other")
    func options() async throws {
        let tags = try page.section("OPTIONS").tags.map(ManualPage.plain).joined(separator: "\n")
        // cvrd's own help is too short for the short name of --help.
        #expect(Self.options(in: tags) == Self.options(in: try await Self.help()).union(["-h"]))
        let synopsis = try page.section("SYNOPSIS").lines.map(ManualPage.plain).joined(separator: "\n")
        #expect(Self.options(in: synopsis).isSubset(of: Self.options(in: tags)))
    }

    @Test("names every exit code, and no other")
    func exitCodes() async throws {
        let help = try await Self.help()
        let named = help.firstMatch(of: /Exit codes: ([^.]*)\./).map { String($0.output.1) } ?? ""
        let codes = Set(named.matches(of: /\b\d+\b/).map { String($0.output) })
        #expect(Set(try page.section("EXIT STATUS").terms) == codes)
        for file in try SourceFiles.below("Sources/cvrd") {
            for code in file.text.matches(of: /\b(?:exit\(|return )(\d+)\b/) {
                #expect(codes.contains(String(code.output.1)), "\(file.path)")
            }
        }
    }

    @Test("names every exit code of workers and cvr-sync, and no other")
    func exitCodesOfProcesses() throws {
        var codes: Set<String> = []
        for file in try SourceFiles.below("Sources/Ingest") + SourceFiles.below("Sources/cvr-ingest") {
            let enumeration = file.text.firstMatch(of: /enum ExitCode: Int32[^}]*\}/)?.output ?? ""
            codes.formUnion(enumeration.matches(of: /case \w+ = (\d+)/).map { String($0.output.1) })
            codes.formUnion(file.text.matches(of: /\b_exit\((\d+)\)/).map { String($0.output.1) })
        }
        #expect(codes.count > 5)
        #expect(Set(try page.section("Exit status of workers and cvr-sync").terms) == codes)
        // What cvrd makes of them.
        let supervision = try SourceFiles.below("Sources/Supervision")
        let departure = try #require(supervision.first { $0.path.hasSuffix("/Departure.swift") }).text
        let known = departure.matches(of: /case ([0-9, ]+):/).flatMap { $0.output.1.matches(of: /\d+/) }
        #expect(codes.isSubset(of: known.map { String($0.output) }))
    }

    @Test("names every signal, and no other")
    func signals() async throws {
        let help = try await Self.help()
        let named = help.matches(of: /\b(TERM|INT|HUP|USR1|USR2|QUIT|ABRT)\b/).map { "SIG\($0.output.1)" }
        #expect(Set(try page.section("SIGNALS").terms) == Set(named))
    }
}
