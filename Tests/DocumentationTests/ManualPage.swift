import Foundation
import TestSupport

/// A page of etc/man, as its source says it.
struct ManualPage {
    /// `.SH` and `.SS` alike: its title and the lines up to the next one.
    struct Section {
        let title: String
        var lines: [String] = []

        /// The tags of its `.TP` and `.TQ` entries, one a line of the source, with their font changes.
        var tags: [String] {
            zip(lines, lines.dropFirst()).filter { $0.0 == ".TP" || $0.0 == ".TQ" }.map(\.1)
        }

        /// The words of its tags that are set in bold: `.B word`, `.BR word ", " word` and `\fBword\fR`.
        var terms: [String] { tags.flatMap(Self.terms) }

        private static func terms(of tag: String) -> [String] {
            if tag.hasPrefix(".") {
                return tag.split(separator: " ").dropFirst().map(ManualPage.plain).filter { $0.first != "\"" }
            }
            return tag.matches(of: /\\fB(.*?)\\fR/).map { ManualPage.plain($0.output.1) }
        }

        /// The first line of the text of each `.TP` entry, by the words of its tag.
        var openings: [(terms: [String], opening: String)] {
            lines.indices.dropLast(2).filter { lines[$0] == ".TP" }.map {
                (Self.terms(of: lines[$0 + 1]), lines[$0 + 2])
            }
        }
    }

    static let folder = Repository.path("etc/man")
    static var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
    }

    let path: String
    let sections: [Section]

    init(_ name: String) throws {
        path = "\(Self.folder)/\(name)"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var sections: [Section] = []
        for line in text.split(separator: "\n").map(String.init) {
            if let title = line.wholeMatch(of: /\.S[HS] (.*)/) {
                sections.append(Section(title: Self.plain(title.output.1)))
            } else if !sections.isEmpty {
                sections[sections.endIndex - 1].lines.append(line)
            }
        }
        self.sections = sections
    }

    /// The first of that title, from the section of the title `start` on.
    func section(_ title: String, in start: String? = nil) throws -> Section {
        let from = start.map { start in sections.drop { $0.title != start } } ?? sections[...]
        guard let found = from.first(where: { $0.title == title }) else {
            throw Missed("\(path) has no section \(title)")
        }
        return found
    }

    /// The sections from one title up to another.
    func sections(from first: String, to end: String) throws -> ArraySlice<Section> {
        guard let start = sections.firstIndex(where: { $0.title == first }),
            let stop = sections.firstIndex(where: { $0.title == end }), start <= stop
        else { throw Missed("\(path) has no sections \(first) to \(end)") }
        return sections[start..<stop]
    }

    /// What stands between `.EX` and `.EE`, as it is shown.
    var examples: [String] {
        var examples: [String] = []
        var isInside = false
        for line in sections.flatMap(\.lines) {
            if line == ".EX" { examples.append("") }
            if [".EX", ".EE"].contains(line) {
                isInside = line == ".EX"
            } else if isInside, !examples.isEmpty {
                examples[examples.endIndex - 1] += Self.plain(line) + "\n"
            }
        }
        return examples
    }

    /// Without font changes and escapes.
    static func plain(_ text: some StringProtocol) -> String {
        String(text).replacing(/\\f[BIRP]/, with: "").replacing("\\-", with: "-").replacing("\\(aq", with: "'")
            .replacing("\\&", with: "").replacing("\\e", with: "\\")
    }
}
