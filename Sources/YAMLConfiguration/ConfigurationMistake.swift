/// One thing that is wrong with a configuration, and where.
package struct ConfigurationMistake: Hashable, Sendable, CustomStringConvertible {
    package let file: String
    /// From 1; 0 when the file as a whole is meant.
    package let line: Int
    /// Dotted path of the key, empty for the document itself.
    package let key: String
    /// What is wrong and what to write instead; never the value of a URL, which may hold a password (I10).
    package let reason: String

    package init(file: String, line: Int, key: String, reason: String) {
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason
    }

    package var description: String {
        let place = line > 0 ? "\(file):\(line)" : file
        return key.isEmpty ? "\(place): \(reason)" : "\(place): \(key): \(reason)"
    }
}

/// Every mistake of a configuration at once; at least one.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package let mistakes: [ConfigurationMistake]

    package init(_ mistakes: [ConfigurationMistake]) { self.mistakes = mistakes }

    package var description: String { mistakes.map(\.description).joined(separator: "\n") }
}

/// Collects mistakes while one configuration is read.
final class MistakeList {
    private var mistakes: [ConfigurationMistake] = []

    var isEmpty: Bool { mistakes.isEmpty }

    /// By file in the order they were read, then by line.
    var error: ConfigurationError {
        let files = mistakes.reduce(into: [String]()) { if !$0.contains($1.file) { $0.append($1.file) } }
        return ConfigurationError(
            files.flatMap { file in mistakes.filter { $0.file == file }.sorted { $0.line < $1.line } })
    }

    func add(_ mistake: ConfigurationMistake) {
        if !mistakes.contains(mistake) { mistakes.append(mistake) }
    }
}

/// Why a text is not a value of some kind.
package struct BadValue: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
