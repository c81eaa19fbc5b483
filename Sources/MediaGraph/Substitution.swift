import Recording

/// What `${}` stands for in one topology, with the values of an instance where there is one.
struct Substitution: Sendable {
    enum Value: Hashable, Sendable {
        case plain(String)
        case secret(Secret)
    }

    /// A text with its references in: exact but for the time variables.
    struct Text: Hashable, Sendable {
        var parts: [NamePattern.Part]
        /// False when a parameter's value is not known yet.
        var isComplete: Bool
        /// A parameter that is a secret went into it.
        var isSecret: Bool
        /// A system variable was asked for.
        var hasVariable: Bool

        /// Bytes of it, with no time longer than the precise one.
        var length: Int {
            parts.reduce(0) { length, part in
                guard case .text(let text) = part else { return length + 20 }
                return length + text.utf8.count
            }
        }

        /// With times of LVA's own example in it, for what is checked before there is a recording.
        ///
        /// Made only of what is no longer than `GraphLimits.textLength`: few bytes can ask for many.
        var example: String {
            NamePattern(parts).resolve(at: WallTime(seconds: 1_582_392_720, nanoseconds: 123_000_000))
        }
    }

    var topologyName: String
    /// Nil before there is an instance.
    var instanceName: String?
    /// By name in lower case, as values are: names are the same in any case.
    let declarations: [String: ParameterDeclaration]
    /// Nil before there is an instance; then without those that have neither value nor default.
    var values: [String: Value]?

    /// Those of a topology alone.
    init(topologyName: String, declarations: [String: ParameterDeclaration]) {
        self.topologyName = topologyName
        self.declarations = declarations
    }

    func declaration(_ name: String) -> ParameterDeclaration? { declarations[name.lowercased()] }

    /// Puts everything in that is known; what a value holds is text, whatever it looks like.
    func resolve(_ template: Template) -> Text {
        var text = Text(parts: [], isComplete: template.isClosed, isSecret: false, hasVariable: false)
        for part in template.parts {
            switch part {
            case .text(let literal): text.parts.append(.text(literal))
            case .reference(let name): resolve(name, into: &text)
            }
        }
        return text
    }

    private func resolve(_ name: String, into text: inout Text) {
        if let variable = SystemVariable(name) {
            text.hasVariable = true
            switch variable {
            case .dateTime: text.parts.append(.dateTime)
            case .preciseDateTime: text.parts.append(.preciseDateTime)
            case .topologyName: text.parts.append(.text(topologyName))
            // A name of LVA's documentation, until there is an instance.
            case .instanceName: text.parts.append(.text(instanceName ?? "camera001"))
            }
            return
        }
        if declaration(name)?.isSecret == true { text.isSecret = true }
        switch values?[name.lowercased()] {
        case .plain(let value): text.parts.append(.text(value))
        case .secret(let value): text.parts.append(.text(value.revealed()))
        case nil: text.isComplete = false
        }
    }
}
