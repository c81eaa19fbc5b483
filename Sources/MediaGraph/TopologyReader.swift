import JSON
import Recording

/// Reads a topology, gathering all mistakes; what it holds is good for nothing where there are any.
struct TopologyReader {
    let version: APIVersion
    private(set) var name = ""
    private(set) var description: String?
    private(set) var parameters: [ParameterDeclaration] = []
    private(set) var nodes: [GraphNode] = []
    /// Names of the lists that were there.
    private(set) var lists: Set<String> = []
    private var values: ValueReader
    /// What the topology of this name was before.
    private let old: Topology?
    private var parameterKeys: Set<String> = []
    private var unread = GraphRules.Unread()

    var mistakes: [GraphError.Detail] { values.mistakes }

    init(_ values: ValueReader, _ payload: JSONValue, replacing old: (String) -> Topology? = { _ in nil }) {
        version = values.api
        var values = values
        let members = Members(payload)
        name = values.name(in: members)
        self.old = name.isEmpty ? nil : old(name)
        self.values = values
        if let properties = members["properties"] { read(properties) }
        self.values.mistakes += GraphRules(nodes, in: version, unread).mistakes
        hideParameters()
        checkTexts()
    }

    private mutating func read(_ properties: JSONValue) {
        guard case .object = properties else {
            unread.loseNode(nil)
            return values.note(.propertyValueInvalidType, at: "$.Properties", "The value must be an object.")
        }
        let object = Members(properties)
        description = values.optionalText("description", in: object, at: "$.Properties")
        for (index, value) in (list("parameters", in: object) ?? []).enumerated() {
            declare(value, at: "$.Properties.Parameters[\(index)]")
        }
        for section in NodeSection.allCases {
            guard let elements = list(section.rawValue, in: object) else {
                unread.loseNode(nil)
                continue
            }
            for (index, value) in elements.enumerated() {
                add(value, to: section, at: "$.Properties.\(section.pathName)[\(index)]")
            }
        }
    }

    /// Empty where there is none; nil after a mistake.
    private mutating func list(_ name: String, in object: Members) -> [JSONValue]? {
        guard let value = object[name] else { return [] }
        lists.insert(name)
        let path = "$.Properties.\(name.prefix(1).uppercased())\(name.dropFirst())"
        if case .array(let elements) = value { return values.fits(elements, at: path) ? elements : nil }
        values.note(.propertyValueInvalidType, at: path, "The value must be a list.")
        return nil
    }

    // MARK: Parameters

    private mutating func declare(_ value: JSONValue, at path: String) {
        guard case .object = value else {
            return values.note(.propertyValueInvalidType, at: path, "The value must be an object.")
        }
        let members = Members(value)
        let name = values.parameterName(in: members, at: path)
        let description = values.optionalText("description", in: members, at: path)
        guard let typeName = values.requiredText("type", in: members, at: path) else { return }
        guard let type = ParameterType(anyCase: typeName) else {
            let types = ParameterType.allCases.map(\.rawValue).joined(separator: ", ")
            return values.note(.propertyValueNotSupported, at: path + ".Type", "The value must be one of \(types).")
        }
        let given = defaultValue(in: members, type, at: path + ".Default")
        guard let name else { return }
        if SystemVariable.reserves(name) {
            values.note(
                .parameterNameReserved, at: path + ".Name",
                "Names that begin with System. are the box's: choose another.")
        }
        if !parameterKeys.insert(name.lowercased()).inserted {
            values.note(.parameterNameNotUnique, at: path + ".Name", "Another parameter has this name: rename one.")
        }
        parameters.append(
            ParameterDeclaration(
                name: name, type: type, description: description, defaultValue: given ?? kept(name, type)))
    }

    private mutating func defaultValue(
        in members: Members, _ type: ParameterType, at path: String
    ) -> ParameterValue? {
        guard let written = members["default"] else { return nil }
        let value = values.parameterValue(written, secret: type == .secretString, at: path)
        guard case .plain(let plain) = value, !type.takes(ScalarText.of(plain) ?? "") else { return value }
        values.note(.parameterValueInvalid, at: path, "The value must be \(type.rule).")
        return value
    }

    /// The default of a SecretString that is not given again.
    private func kept(_ name: String, _ type: ParameterType) -> ParameterValue? {
        guard type == .secretString, case .secret? = old?.parameter(name)?.defaultValue else { return nil }
        return old?.parameter(name)?.defaultValue
    }

    /// Finds the secrets among the parameters.
    ///
    /// One that a password or a header value refers to is a secret, whatever its type: LVA's samples declare them as
    /// Strings. So is one that is called a password and that no node uses, as in LVA's evr-hubMessage-files.
    private mutating func hideParameters() {
        let used = Set(nodes.flatMap(PlacedText.all).flatMap(\.template.references).map { $0.lowercased() })
        var keys: Set<String> = []
        for node in nodes {
            for text in NodeShapes.secretTexts(of: node) {
                keys.formUnion(Template(text).references.map { $0.lowercased() })
            }
        }
        parameters = parameters.map { declared in
            var declared = declared
            let key = declared.name.lowercased()
            declared.isSecret =
                declared.type == .secretString || keys.contains(key)
                || (!used.contains(key) && key.contains("password"))
            if declared.isSecret, let value = declared.defaultValue {
                // As it comes back from the disk, where it is sealed as a text.
                declared.defaultValue =
                    declared.type == .secretString ? .secret(Secret(value.text)) : .plain(.string(value.text))
            }
            return declared
        }
    }

    /// By name in lower case, of two of one name the first.
    var declarations: [String: ParameterDeclaration] {
        Dictionary(parameters.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Nodes

    private mutating func add(_ value: JSONValue, to section: NodeSection, at path: String) {
        let members = Members(value)
        var name: String?
        if case .string(let text) = members["name"] { name = text }
        guard case .object = value else {
            unread.loseNode(nil)
            return values.note(.propertyValueInvalidType, at: path, "The value must be an object.")
        }
        let types = NodeType.allCases.filter { $0.section == section && NodeShapes.has($0, in: version) }
        guard case .string(let text) = members["@type"],
            let type = types.first(where: { (NodeShapes.prefix + $0.rawValue).lowercased() == text.lowercased() })
        else {
            unread.loseNode(name)
            let names = types.map { NodeShapes.prefix + $0.rawValue }.joined(separator: ", ")
            return values.note(
                .nodeTypeNotSupported, at: path,
                "The @type of a node here must be one of \(names) in API version \(version.rawValue).")
        }
        var before: NodeValue?
        if let node = name.flatMap({ old?.node($0) }), node.type == type { before = .object(node.properties) }
        let count = values.mistakes.count
        let properties = values.members(
            of: members, as: NodeShapes.properties(of: type), at: path, keeping: before)
        let inputs = path + ".Inputs"
        if values.mistakes[count...].contains(where: { $0.target?.hasPrefix(inputs) == true }) {
            unread.inputs.insert(path)
        }
        nodes.append(GraphNode(type: type, path: path, properties: properties))
    }

    /// What the topology alone says wrong in its texts; parameters' values are an instance's.
    private mutating func checkTexts() {
        // A wrong name is told once, not again for each text that it would be part of.
        let known = GraphLimits.isName(name) ? name : "topology"
        var checker = ValueChecker(
            api: version, substitution: Substitution(topologyName: known, declarations: declarations))
        var references = 0
        for node in nodes {
            let texts = PlacedText.all(of: node)
            checker.check(node, texts)
            references += texts.reduce(0) { $0 + $1.template.references.count }
        }
        values.mistakes += checker.mistakes
        guard values.mistakes.isEmpty, references > GraphLimits.topologyReferences else { return }
        values.note(
            .propertyValueOutOfRange, at: "$.Properties",
            "All values together must have at most \(GraphLimits.topologyReferences) references: leave some out.")
    }
}

extension ValueReader {
    /// Empty after a mistake.
    mutating func name(in members: Members) -> String {
        guard let text = requiredText("name", in: members, at: "$") else { return "" }
        if !GraphLimits.isName(text) {
            note(.propertyValueInvalidPattern, at: "$.Name", "The value must be \(GraphLimits.nameRule).")
        }
        return text
    }

    mutating func parameterName(in members: Members, at path: String) -> String? {
        guard let text = requiredText("name", in: members, at: path) else { return nil }
        guard (1...GraphLimits.parameterNameLength).contains(text.unicodeScalars.count) else {
            note(.propertyValueInvalidPattern, at: path + ".Name", "The value must have 1 to 64 characters.")
            return nil
        }
        return text
    }

    mutating func requiredText(_ name: String, in members: Members, at path: String) -> String? {
        guard members[name] != nil else {
            let place = "\(path).\(name.prefix(1).uppercased())\(name.dropFirst())"
            note(.propertyRequired, at: place, "The value is required: add \(name).")
            return nil
        }
        return optionalText(name, in: members, at: path)
    }

    mutating func optionalText(_ name: String, in members: Members, at path: String) -> String? {
        guard let value = members[name] else { return nil }
        let place = "\(path).\(name.prefix(1).uppercased())\(name.dropFirst())"
        if case .string(let text) = value { return fits(text, at: place) ? text : nil }
        note(.propertyValueInvalidType, at: place, "The value must be a string.")
        return nil
    }

    /// A string, or a number or boolean that stands for one.
    mutating func parameterValue(_ value: JSONValue, secret: Bool, at path: String) -> ParameterValue? {
        if let secret = sealed(value, at: path) { return .secret(secret) }
        guard let text = ScalarText.of(value) else {
            note(.propertyValueInvalidType, at: path, "The value must be a string.")
            return nil
        }
        guard fits(text, at: path) else { return nil }
        return secret ? .secret(Secret(text)) : .plain(value)
    }
}
