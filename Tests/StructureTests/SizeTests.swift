import Foundation
import Testing

@Suite("Structure: sizes")
struct SizeTests {
    let tree = SourceTree()

    /// Functions that are one table each, and read best as one.
    static let tables: Set = [
        "Sources/Ingest/Faults.swift", "Tests/YAMLConfigurationTests/ConfigurationMistakeTests.swift",
    ]

    /// Simulated cameras and disks: their time is what they are about.
    static let waiters: Set = [
        "Tests/IngestTests/LiveCamera.swift", "Tests/EndToEndTests/DoctorTests.swift", "Tests/Attacker/Prey.swift",
    ]

    func everyFile() throws -> [SourceTree.File] { try tree.swiftFiles(in: "Sources") + tree.swiftFiles(in: "Tests") }

    @Test("files stay within 400 lines")
    func files() throws {
        let files = try everyFile()
        #expect(files.count > 100)
        for file in files { #expect(file.lines.count <= 400, "\(file.path) has \(file.lines.count) lines") }
    }

    @Test("functions stay within 40 lines; a table may have 80")
    func functions() throws {
        var count = 0
        for file in try everyFile() {
            let limit = Self.tables.contains(file.path) ? 80 : 40
            for (name, length) in Self.functions(in: file) {
                count += 1
                #expect(length <= limit, "\(file.path): \(name) has \(length) lines")
            }
        }
        #expect(count > 500)
    }

    @Test("no unfinished marks, no sleeping tests")
    func marks() throws {
        let mark = /\b(TODO|FIXME|XXX|HACK)\b/
        let waiting =
            /(?:^|\W)(?:(?:Task|Thread|time)\.sleep|u?sleep\(|nanosleep\(|poll\((?:nil|NULL), 0|while .*Task\.yield\(\))/
        // Most files have none of these words: to look at each line of all takes seconds.
        let words = ["TODO", "FIXME", "XXX", "HACK", "sleep", "poll(", "yield()"]
        let files = try everyFile().filter { file in words.contains { file.text.contains($0) } }
        #expect(!files.isEmpty)
        for file in files where file.room != "StructureTests" {
            for line in file.lines {
                #expect(!line.contains(mark), "\(file.path): \(line)")
                #expect(
                    !line.contains(waiting) || !file.path.hasPrefix("Tests") || Self.waiters.contains(file.path),
                    "\(file.path): \(line)")
            }
        }
    }

    @Test("what may trap is not written, and a discarded error says why")
    func traps() throws {
        let trap = /\btry!|\bas!|\bfatalError\(|\bunsafeBitCast\(|[\w\])]!(?=[\s.,)\]]|$)/
        let suspects = ["!", "try?", "fatalError", "unsafeBitCast"]
        for file in try tree.swiftFiles(in: "Sources") {
            let lines = file.lines
            for (index, line) in lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                guard suspects.contains(where: { line.contains($0) }) else { continue }
                let code = line.replacing(/"[^"]*"/, with: "\"\"")
                #expect(!code.contains(trap), "\(file.path):\(index + 1): \(line)")
                if code.contains(/\btry\?/) {
                    let explained = line.contains("//") || (index > 0 && lines[index - 1].contains("//"))
                    #expect(explained, "\(file.path):\(index + 1): try? without a reason")
                }
            }
        }
    }

    /// Name and length, from the line of `func`/`init` to its closing brace at the same indentation.
    static func functions(in file: SourceTree.File) -> [(String, Int)] {
        let lines = file.lines
        var found: [(String, Int)] = []
        for (index, line) in lines.enumerated() {
            // Anything else has its body on this line, or none. The regular expression is slow: most lines need none.
            guard line.hasSuffix("{") || line.hasSuffix("("), line.contains("func ") || line.contains("init") else {
                continue
            }
            guard
                line.prefixMatch(
                    of:
                        /\s*(?:@\w+\s+)*(?:package |private |fileprivate |internal |static |mutating |override |nonisolated )*(func |init[?(<])/
                ) != nil
            else { continue }
            let indent = line.prefix { $0 == " " }
            guard let end = lines[(index + 1)...].firstIndex(where: { $0 == indent + "}" }) else { continue }
            found.append((line.trimmingCharacters(in: .whitespaces), end - index + 1))
        }
        return found
    }
}
