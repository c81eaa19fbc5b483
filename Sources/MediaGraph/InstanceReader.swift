import JSON
import Recording

/// Reads an instance, gathering all mistakes that need no topology to be seen.
struct InstanceReader {
    let version: APIVersion
    private(set) var name = ""
    /// Empty where none is given.
    private(set) var topologyName = ""
    private(set) var description: String?
    private(set) var state = InstanceState.inactive
    private(set) var parameters: [InstanceParameter] = []
    private(set) var hasParameters = false
    var mistakes: [GraphError.Detail] = []

    init(_ reader: ValueReader, _ payload: JSONValue) {
        var values = reader
        version = values.api
        let members = Members(payload)
        name = values.name(in: members)
        read(members["properties"], &values)
        mistakes = values.mistakes
    }

    private mutating func read(_ properties: JSONValue?, _ values: inout ValueReader) {
        let path = "$.Properties"
        guard let properties else {
            return values.note(.propertyRequired, at: path, "The value is required: add properties.")
        }
        guard case .object = properties else {
            return values.note(.propertyValueInvalidType, at: path, "The value must be an object.")
        }
        let object = Members(properties)
        topologyName = values.requiredText("topologyName", in: object, at: path) ?? ""
        description = values.optionalText("description", in: object, at: path)
        // The box's own, and no mistake of a client that sends back what it got.
        if case .string(let text) = object["state"] { state = InstanceState(rawValue: text) ?? .inactive }
        guard let list = object["parameters"] else { return }
        hasParameters = true
        guard case .array(let elements) = list else {
            return values.note(.propertyValueInvalidType, at: path + ".Parameters", "The value must be a list.")
        }
        guard values.fits(elements, at: path + ".Parameters") else { return }
        for (index, value) in elements.enumerated() { give(value, at: "\(path).Parameters[\(index)]", &values) }
    }

    private mutating func give(_ value: JSONValue, at path: String, _ values: inout ValueReader) {
        guard case .object = value else {
            return values.note(.propertyValueInvalidType, at: path, "The value must be an object.")
        }
        let members = Members(value)
        let name = values.parameterName(in: members, at: path)
        let given = members["value"].flatMap { values.parameterValue($0, secret: false, at: path + ".Value") }
        if members["value"] == nil && version == .v1 {
            values.note(.propertyRequired, at: path + ".Value", "The value is required: add value.")
        }
        guard let name else { return }
        if parameters.contains(where: { $0.name.lowercased() == name.lowercased() }) {
            values.note(.parameterNameNotUnique, at: path + ".Name", "The parameter is given twice: leave one out.")
        }
        parameters.append(InstanceParameter(name: name, value: given))
    }

    /// From here on values of SecretStrings are secrets, and names are spelled as they are declared.
    mutating func adopt(_ topology: Topology) { parameters = parameters.map { $0.adopted(by: topology) } }
}

extension InstanceParameter {
    /// The same under the name that a topology declares, and with its value a secret where that says so.
    func adopted(by topology: Topology) -> InstanceParameter {
        guard let declaration = topology.parameter(name) else { return self }
        guard declaration.type == .secretString, case .plain(let plain) = value, let text = ScalarText.of(plain) else {
            return InstanceParameter(name: declaration.name, value: value)
        }
        return InstanceParameter(name: declaration.name, value: .secret(Secret(text)))
    }
}
