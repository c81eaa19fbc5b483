import Foundation
import TestSupport
import Testing
import YAMLConfiguration

/// etc/man/cvr.yaml.5 against the schema, and its examples against cvrd.
@Suite("Documentation: cvr.yaml(5)", .timeLimit(.minutes(1)))
struct ConfigurationManualTests {
    let page: ManualPage

    init() throws { page = try ManualPage("cvr.yaml.5") }

    @Test("names every key of every section, and no other")
    func keys() throws {
        let sections = try page.sections(from: "KEYS", to: "CREDENTIALS").dropFirst()
        let named = sections.map { section in
            let name = section.title == "Top level" ? "" : section.title.replacing("NAME", with: "*")
            let keys = section.tags.map { tag in
                // What a key may be stands in parentheses.
                ManualPage.Section(title: "", lines: [".TP", String(tag.prefix { $0 != "(" })]).terms
            }
            return (name, Set(keys.flatMap { $0 }))
        }
        #expect(Dictionary(named) { $0.union($1) } == Schema.sections.mapValues { Set($0) })
    }

    @Test("its examples are configurations that cvrd takes")
    func examples() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cvr-examples-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // left behind in /tmp it fails no test
        #expect(page.examples.count >= 2)
        for example in page.examples {
            // This machine may have cameras of its own.
            try "\(example)state: { path: \(folder)/state }\n"
                .write(toFile: "\(folder)/cvr.yaml", atomically: true, encoding: .utf8)
            let done = try await run("\(Repository.binaries)/cvrd", ["--check", "--config", "\(folder)/cvr.yaml"])
            #expect(done.ending == .exited(0), "\(example)\(done.errors)")
        }
    }
}
