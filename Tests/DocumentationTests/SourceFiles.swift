import Foundation
import TestSupport

/// Swift sources of this checkout, without the lines that are comments.
struct SourceFiles {
    /// A string that is one lowerCamelCase word, and the code around it without line breaks.
    struct Literal {
        let text: String
        let before: String
        let after: String
    }

    let path: String
    let lines: [String]

    var text: String { lines.joined(separator: "\n") }

    static func below(_ folder: String) throws -> [SourceFiles] {
        let base = Repository.path(folder)
        let paths = FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String } ?? []
        return try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            let text = try String(contentsOfFile: "\(base)/\(path)", encoding: .utf8)
            let code = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            return SourceFiles(path: "\(folder)/\(path)", lines: code.filter { !$0.hasPrefix("//") })
        }
    }

    var literals: [Literal] {
        lines.indices.flatMap { index -> [Literal] in
            let parts = lines[index].split(separator: "\"", omittingEmptySubsequences: false)
            return parts.indices.filter { $0 % 2 == 1 && $0 + 1 < parts.count }.compactMap { position in
                let word = parts[position]
                guard word.first?.isLowercase == true, word.allSatisfy(\.isLetter) else { return nil }
                let before = parts[..<position].joined(separator: "\"").trimmingCharacters(in: .whitespaces)
                let isFirst = before.isEmpty && index > 0
                return Literal(
                    text: String(word), before: isFirst ? lines[index - 1] : before,
                    after: parts[position + 1].trimmingCharacters(in: .whitespaces))
            }
        }
    }
}
