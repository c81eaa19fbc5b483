import Yams

/// A mapping of the document: gives out its values and reports whatever is not as the schema says.
struct Section {
    let file: String
    /// Dotted path of this section as the operator wrote it.
    let path: String
    private let node: Node?
    private let entries: [(key: String, line: Int, value: Node)]
    private let mistakes: MistakeList
    private let ownLine: Int

    /// The document itself, or one camera's file when `schema` is a camera's section.
    init(_ text: ConfigurationText, schema: String?, extra: [String] = [], mistakes: MistakeList) {
        let root = text.compose(into: mistakes)
        self.init(node: root, file: text.file, path: "", schema: schema, extra: extra, line: 1, mistakes: mistakes)
    }

    private init(
        node: Node?, file: String, path: String, schema: String?, extra: [String] = [], line: Int,
        mistakes: MistakeList
    ) {
        self.node = node
        self.file = file
        self.path = path
        self.mistakes = mistakes
        ownLine = node?.mark?.line ?? line
        var entries: [(key: String, line: Int, value: Node)] = []
        if let mapping = node?.mapping {
            for (keyNode, value) in mapping {
                let line = keyNode.mark?.line ?? line
                guard let key = keyNode.scalar?.string else {
                    mistakes.add(
                        ConfigurationMistake(file: file, line: line, key: path, reason: "a key that is not a word"))
                    continue
                }
                entries.append((key, line, value))
            }
        } else if let node, !Self.isEmpty(node) {
            mistakes.add(
                ConfigurationMistake(
                    file: file, line: ownLine, key: path, reason: "is \(Self.kind(node)), expected keys with values"))
        }
        self.entries = entries
        if let schema { refuse(others: Schema.sections[schema, default: []] + extra) }
    }

    /// True when the file has this section.
    var isPresent: Bool { node != nil }

    /// Names of the entries, for sections whose keys are the operator's.
    var keys: [(key: String, line: Int)] { entries.map { ($0.key, $0.line) } }

    func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// The section below `key`; without one, an empty section.
    ///
    /// A `schema` of nil leaves the keys to the caller.
    func section(_ key: String, schema: String?, extra: [String] = []) -> Section {
        let entry = entries.first { $0.key == key }
        return Section(
            node: entry?.value, file: file, path: child(key), schema: schema, extra: extra,
            line: entry?.line ?? ownLine, mistakes: mistakes)
    }

    /// The sections of the list at `key`; without one, none.
    func sections(_ key: String, schema: String) -> [Section] {
        items(key).enumerated().map { index, item in
            Section(
                node: item, file: file, path: "\(child(key))[\(index)]", schema: schema, line: ownLine,
                mistakes: mistakes)
        }
    }

    /// The values of the list at `key`, without those that were reported; nil when it is absent.
    func values<Value>(_ key: String, _ parse: (String) throws(BadValue) -> Value) -> [Value]? {
        guard has(key) else { return nil }
        return items(key).compactMap { item in
            do throws(BadValue) {
                guard let scalar = item.scalar else { throw BadValue("holds \(Self.kind(item)), expected words") }
                return try parse(scalar.string)
            } catch {
                report(key, error.reason)
                return nil
            }
        }
    }

    private func items(_ key: String) -> [Node] {
        guard let entry = entries.first(where: { $0.key == key }) else { return [] }
        guard let sequence = entry.value.sequence else {
            report(key, "is \(Self.kind(entry.value)), expected a list, as in [a, b]")
            return []
        }
        return Array(sequence)
    }

    /// The value of `key`, or nil when it is absent or was reported.
    func value<Value>(_ key: String, _ parse: (String) throws(BadValue) -> Value) -> Value? {
        guard let entry = entries.first(where: { $0.key == key }) else { return nil }
        guard let scalar = entry.value.scalar else {
            report(key, "is \(Self.kind(entry.value)), expected one value")
            return nil
        }
        guard !Self.isEmpty(entry.value) else {
            report(key, "is empty; write a value or remove the key")
            return nil
        }
        do throws(BadValue) {
            return try parse(scalar.string)
        } catch {
            report(key, error.reason)
            return nil
        }
    }

    /// As `value`, but its absence is a mistake too.
    func required<Value>(_ key: String, hint: String, _ parse: (String) throws(BadValue) -> Value) -> Value? {
        if !has(key) { report(key, "is missing; \(hint)") }
        return value(key, parse)
    }

    /// Reports `reason` at the line of `key`, or of the section when there is no such key.
    func report(_ key: String?, _ reason: String) {
        let line = key.flatMap { key in entries.first { $0.key == key }?.line }
        mistakes.add(
            ConfigurationMistake(
                file: file, line: line ?? ownLine, key: key.map(child) ?? path, reason: reason))
    }

    /// Reports every key but these, where no schema has them.
    func refuse(others known: [String]) {
        for entry in entries where !known.contains(entry.key) {
            report(entry.key, "unknown key; did you mean \(Schema.nearest(to: entry.key, among: known) ?? "")?")
        }
    }

    private func child(_ key: String) -> String {
        let shown = String(key.prefix(64))
        return path.isEmpty ? shown : "\(path).\(shown)"
    }

    private static func kind(_ node: Node) -> String {
        switch node {
        case .scalar: "one value"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// `key:` with nothing behind it, `~` and `null`.
    private static func isEmpty(_ node: Node) -> Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}
