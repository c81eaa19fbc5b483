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
    private(set) var mistakes: [GraphError.Detail] = []
    private var keys: Set<String> = []
    /// Where parameters are without a value, by name in lower case.
    private var valueless: [String: String] = [:]

    init(_ reader: ValueReader, _ payload: JSONValue) {
        var values = reader
        version = values.api
        let members = Members(payload)
        name = values.name(in: members)
        read(members["properties"] ?? .object([:]), &values)
        mistakes = values.mistakes
    }

    private mutating func read(_ properties: JSONValue, _ values: inout ValueReader) {
        let path = "$.Properties"
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
        guard let name else { return }
        let key = name.lowercased()
        if !keys.insert(key).inserted {
            values.note(.parameterNameNotUnique, at: path + ".Name", "The parameter is given twice: leave one out.")
        }
        if members["value"] == nil { valueless[key] = path }
        parameters.append(InstanceParameter(name: name, value: given))
    }

    /// From here on values of secret parameters are secrets, and names are spelled as they are declared.
    ///
    /// A secret without a value stays what it is in `old`: it is not shown, so whoever sends back what Get answered
    /// cannot have it.
    mutating func adopt(_ topology: Topology, replacing old: Instance?) {
        var kept: [String: ParameterValue] = [:]
        if let old, old.topologyName.lowercased() == topology.name.lowercased() {
            for parameter in old.parameters {
                if case .secret? = parameter.value { kept[parameter.name.lowercased()] = parameter.value }
            }
        }
        parameters = parameters.map { parameter in
            var parameter = parameter
            let key = parameter.name.lowercased()
            if valueless[key] != nil, topology.parameter(key)?.isSecret == true, let value = kept[key] {
                parameter.value = value
                valueless[key] = nil
            }
            return parameter.adopted(by: topology)
        }
    }

    /// API 1.0 leaves no parameter that it names without a value.
    mutating func requireValues() {
        guard version == .v1 else { return }
        mistakes += valueless.values.sorted().map {
            GraphError.Detail(.propertyRequired, at: $0 + ".Value", "The value is required: add value.")
        }
    }
}

extension InstanceParameter {
    /// The same under the name that a topology declares, and with its value a secret where that makes it one.
    func adopted(by topology: Topology) -> InstanceParameter {
        guard let declaration = topology.parameter(name) else { return self }
        guard declaration.isSecret, case .plain(let plain) = value, let text = ScalarText.of(plain) else {
            return InstanceParameter(name: declaration.name, value: value)
        }
        return InstanceParameter(name: declaration.name, value: .secret(Secret(text)))
    }
}
