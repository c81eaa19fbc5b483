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

    var mistakes: [GraphError.Detail] { values.mistakes }

    init(_ values: ValueReader, _ payload: JSONValue) {
        version = values.api
        self.values = values
        let members = Members(payload)
        name = self.values.name(in: members)
        guard let properties = members["properties"] else {
            self.values.note(.propertyRequired, at: "$.Properties", "The value is required: add properties.")
            return
        }
        guard case .object = properties else {
            self.values.note(.propertyValueInvalidType, at: "$.Properties", "The value must be an object.")
            return
        }
        let object = Members(properties)
        description = self.values.optionalText("description", in: object, at: "$.Properties")
        for (index, value) in list("parameters", in: object).enumerated() {
            declare(value, at: "$.Properties.Parameters[\(index)]")
        }
        for section in NodeSection.allCases {
            for (index, value) in list(section.rawValue, in: object).enumerated() {
                add(value, to: section, at: "$.Properties.\(section.pathName)[\(index)]")
            }
        }
        if self.values.mistakes.isEmpty { self.values.mistakes += GraphRules(nodes, in: version).mistakes }
        checkTexts()
    }

    private mutating func list(_ name: String, in object: Members) -> [JSONValue] {
        guard let value = object[name] else { return [] }
        lists.insert(name)
        let path = "$.Properties." + name.prefix(1).uppercased() + name.dropFirst()
        if case .array(let elements) = value { return values.fits(elements, at: path) ? elements : [] }
        values.note(.propertyValueInvalidType, at: path, "The value must be a list.")
        return []
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
        let given = members["default"].flatMap {
            values.parameterValue($0, secret: type == .secretString, at: path + ".Default")
        }
        if case .plain(let value) = given, !type.takes(ScalarText.of(value) ?? "") {
            values.note(.parameterValueInvalid, at: path + ".Default", "The value must be \(type.rule).")
        }
        guard let name else { return }
        if SystemVariable.reserves(name) {
            values.note(
                .parameterNameReserved, at: path + ".Name",
                "Names that begin with System. are the box's: choose another.")
        }
        if parameters.contains(where: { $0.name.lowercased() == name.lowercased() }) {
            values.note(.parameterNameNotUnique, at: path + ".Name", "Another parameter has this name: rename one.")
        }
        parameters.append(
            ParameterDeclaration(name: name, type: type, description: description, defaultValue: given))
    }

    // MARK: Nodes

    private mutating func add(_ value: JSONValue, to section: NodeSection, at path: String) {
        guard case .object = value else {
            return values.note(.propertyValueInvalidType, at: path, "The value must be an object.")
        }
        let members = Members(value)
        let types = NodeType.allCases.filter { $0.section == section && NodeShapes.has($0, in: version) }
        guard case .string(let text) = members["@type"],
            let type = types.first(where: { (NodeShapes.prefix + $0.rawValue).lowercased() == text.lowercased() })
        else {
            let names = types.map { NodeShapes.prefix + $0.rawValue }.joined(separator: ", ")
            return values.note(
                .nodeTypeNotSupported, at: path,
                "The @type of a node here must be one of \(names) in API version \(version.rawValue).")
        }
        let properties = values.members(of: members, as: NodeShapes.properties(of: type), at: path)
        nodes.append(GraphNode(type: type, path: path, properties: properties))
    }

    /// What the topology alone says wrong in its texts; parameters' values are an instance's.
    private mutating func checkTexts() {
        // A wrong name is told once, not again for each text that it would be part of.
        let known = GraphLimits.isName(name) ? name : "topology"
        var checker = ValueChecker(
            api: version, substitution: Substitution(topologyName: known, parameters: parameters))
        for node in nodes { checker.check(node) }
        values.mistakes += checker.mistakes
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
        if case .string(let text) = value { return text }
        let place = "\(path).\(name.prefix(1).uppercased())\(name.dropFirst())"
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
        return secret ? .secret(Secret(text)) : .plain(value)
    }
}
