import TestSupport
import Testing

/// Every page of etc/man as `man` shows it.
@Suite("Documentation: pages", .timeLimit(.minutes(1)))
struct PageTests {
    @Test("is shown without a complaint, at 80 columns", arguments: try ManualPage.names)
    func renders(name: String) async throws {
        let page = try ManualPage(name)
        let arguments = ["-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=80n", page.path]
        let done = try await run("/usr/bin/groff", arguments)
        #expect(done.ending == .exited(0) && done.errors.isEmpty, "\(done.errors)")
        for line in done.text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test("each page that another names is there, or another project's", arguments: try ManualPage.names)
    func references(name: String) throws {
        let others = ["ffmpeg(1)", "ffprobe(1)", "flock(2)"]
        let known = try ManualPage.names.map { name in
            let parts = name.split(separator: ".")
            return "\(parts.dropLast().joined(separator: "."))(\(parts.last ?? ""))"
        }
        for line in try ManualPage(name).sections.flatMap(\.lines) {
            guard let found = ManualPage.plain(line).wholeMatch(of: /\.BR ([\w.-]+) (\(\d\)).*/) else { continue }
            let named = "\(found.output.1)\(found.output.2)"
            #expect((known + others).contains(named), "\(named)")
        }
    }
}
