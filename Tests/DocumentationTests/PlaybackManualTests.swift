import TestSupport
import Testing

/// etc/man/cvr-playback.8 against cvr-playback's own help.
@Suite("Documentation: cvr-playback(8)", .timeLimit(.minutes(1)))
struct PlaybackManualTests {
    let page: ManualPage

    init() throws { page = try ManualPage("cvr-playback.8") }

    static func help() async throws -> String {
        let done = try await run("\(Repository.binaries)/cvr-playback", ["--help"])
        #expect(done.ending == .exited(0))
        return done.text
    }

    @Test("names every option of an operator's, and no other")
    func options() async throws {
        let tags = try page.section("OPTIONS").tags.map(ManualPage.plain).joined(separator: "\n")
        // Those of cvrd's are cvrd's own business.
        let known = CvrdManualTests.options(in: try await Self.help()).subtracting(["--run", "--cache", "--state"])
        #expect(CvrdManualTests.options(in: tags) == known.union(["-h"]))
    }

    @Test("names every exit code, and no other")
    func exitCodes() async throws {
        let help = try await Self.help()
        let named = help.firstMatch(of: /Exit codes: ([^.]*)\./).map { String($0.output.1) } ?? ""
        let codes = Set(named.matches(of: /\b\d+\b/).map { String($0.output) })
        // One that cvrd alone meets.
        #expect(Set(try page.section("EXIT STATUS").terms) == codes.union(["73"]))
    }
}
