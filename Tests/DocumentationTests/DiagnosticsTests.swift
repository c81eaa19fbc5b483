import Foundation
import TestSupport
import Testing

/// Every type of event and every code of a fault or an error against the pages' DIAGNOSTICS.
///
/// A new one needs an entry there: `.TP`, `.B type`, what it means and what to do.
@Suite("Documentation: diagnostics", .timeLimit(.minutes(1)))
struct DiagnosticsTests {
    static func diagnostics(in files: [SourceFiles]) -> Set<String> {
        // LVA's codes begin with a capital: a media graph's answers explain themselves.
        Set(files.flatMap(\.literals).filter(isDiagnostic).map(\.text).filter { $0.first?.isLowercase == true })
    }

    /// How the sources write them down.
    static func isDiagnostic(_ literal: SourceFiles.Literal) -> Bool {
        // `events.append("type"`, `type: "type"`, `event: "type"`, `code: "code"`
        let starts = [".append(", "tell(", "mention(", "type:", "code:", "event:"]
        if starts.contains(where: { literal.before.hasSuffix($0) }) { return true }
        // `let type = hung ? "type" : "type"`
        if literal.before.contains("let type = ") { return true }
        // `Trouble(.reason, "code", "message"`
        guard literal.before.hasSuffix(","), literal.after.hasPrefix(",") else { return false }
        let word = literal.before.dropLast().reversed().prefix { $0.isLetter || $0 == "." }
        return word.count > 1 && word.last == "."
    }

    @Test("cvrd(8) explains every event and every fault, and no other")
    func daemons() throws {
        let files = try SourceFiles.below("Sources").filter { !$0.path.hasPrefix("Sources/cvrctl/") }
        var expected = Self.diagnostics(in: files)
        // What happens to the process of cvr-sync, cvr-playback or cvr-gateway has names of its own, like those of workers.
        let keepers = Self.diagnostics(in: files.filter { $0.path.contains("/Keeper") })
        for process in ["sync", "playback", "gateway"] {
            expected.formUnion(keepers.filter { $0.hasPrefix("worker") }.map { process + $0.dropFirst("worker".count) })
        }
        let codes = files.first { $0.path == "Sources/Sync/SyncError.swift" }?.text
            .firstMatch(of: /enum Code: String[^{]*\{\s*case ([A-Za-z, \n]+)/)?.output.1.matches(of: /\w+/)
        expected.formUnion(try #require(codes).map { String($0.output) })
        #expect(expected.count > 70)
        let sections = try ManualPage("cvrd.8").sections(from: "DIAGNOSTICS", to: "SEE ALSO")
        let explained = Set(sections.flatMap(\.terms))
        #expect(expected.subtracting(explained).sorted() == [], "are not in cvrd(8)")
        #expect(explained.subtracting(expected).sorted() == [], "are in cvrd(8) and nowhere else")
    }

    @Test("cvrd(8) grades every event and fault, what the log calls an error as one to act on")
    func grades() throws {
        let sections = try ManualPage("cvrd.8").sections(from: "DIAGNOSTICS", to: "SEE ALSO")
        var acting: Set<String> = []
        var looking: Set<String> = []
        for (terms, opening) in sections.flatMap(\.openings) {
            switch opening {
            case ".I Act now.": acting.formUnion(terms)
            case ".I Look.": looking.formUnion(terms)
            default: #expect(opening == ".I Information.", "\(terms)")
            }
        }
        let levels = try #require(
            SourceFiles.below("Sources/Supervision").first { $0.path.hasSuffix("/EventLevel.swift") }
        ).text.split(separator: "case ").map(String.init)
        func types(at level: String) -> Set<String> {
            Set(levels.filter { $0.contains(level) }.flatMap { $0.matches(of: /"(\w+)"/) }.map { String($0.output.1) })
        }
        #expect(types(at: ".error").count > 5 && types(at: ".warning").count > 5)
        #expect(types(at: ".error").subtracting(acting).sorted() == [])
        #expect(types(at: ".warning").subtracting(acting).subtracting(looking).sorted() == [])
    }

    @Test("cvrctl(8) explains every error of cvrctl's own and every one that cvrd answers, and no other")
    func client() throws {
        var expected = Self.diagnostics(in: try SourceFiles.below("Sources/cvrctl"))
        let interface = try String(
            contentsOfFile: Repository.path("Sources/Messages/io.cvr.Admin.varlink"), encoding: .utf8)
        for error in interface.matches(of: /(?m)^error (\w)(\w+)/) {
            expected.insert(error.output.1.lowercased() + error.output.2)
        }
        #expect(Set(try ManualPage("cvrctl.8").section("DIAGNOSTICS").terms) == expected)
    }
}
