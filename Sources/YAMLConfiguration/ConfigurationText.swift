import Yams

/// The text of one configuration file and the name under which its mistakes are reported.
package struct ConfigurationText: Sendable {
    package let file: String
    package let text: String

    package init(file: String, text: String) {
        self.file = file
        self.text = text
    }

    /// No configuration comes near it: a thousand cameras take 200 KiB.
    package static let maximumLength = 1 << 20

    /// The document's root, or nil with the reason in `mistakes`.
    ///
    /// Anchors are refused before anything is composed: nine nested lists of aliases are a billion nodes.
    func compose(into mistakes: MistakeList) -> Node? {
        func fail(_ line: Int, _ reason: String) -> Node? {
            mistakes.add(ConfigurationMistake(file: file, line: line, key: "", reason: reason))
            return nil
        }
        guard text.utf8.count <= Self.maximumLength else {
            return fail(0, "larger than \(Self.maximumLength) bytes; this is not a CVR configuration")
        }
        if let line = lineOfAnchor() {
            return fail(line, "anchors (&name) are not supported; write the values out")
        }
        do {
            guard let root = try Yams.compose(yaml: text) else { return fail(0, "empty; only store.url is required") }
            return root
        } catch let error as YamlError {
            let (line, problem) = Self.explain(error)
            return fail(line, problem)
        } catch {
            return fail(0, "not YAML")
        }
    }

    /// The line of the first `&` that may start an anchor, comments and quoted text included: a simple rule that
    /// no quoting gets around.
    private func lineOfAnchor() -> Int? {
        var line = 1
        var previous = UInt8(ascii: "\n")
        var bytes = text.utf8.makeIterator()
        var current = bytes.next()
        while let byte = current {
            let next = bytes.next()
            let startsToken = " \t\n\r[{,\"'".utf8.contains(previous)
            let named = next.map { !" \t\n\r&".utf8.contains($0) } ?? false
            if byte == UInt8(ascii: "&"), startsToken, named { return line }
            if byte == UInt8(ascii: "\n") { line += 1 }
            previous = byte
            current = next
        }
        return nil
    }

    private static func explain(_ error: YamlError) -> (line: Int, problem: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (mark.line, "not YAML: \(problem)")
        case .reader(let problem, _, _, _): (0, "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            (context.mark.line, "written twice: \(keys.map { String($0.prefix(64)) }.joined(separator: ", "))")
        default: (0, "not YAML")
        }
    }
}
