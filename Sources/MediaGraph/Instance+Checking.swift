import JSON
import Recording

extension Instance {
    /// Everything that is wrong with this instance under a topology: its own, or what its own is to become.
    ///
    /// Paths below `$.Properties.Parameters` are the instance's, the others the topology's.
    package func mistakes(in topology: Topology) -> [GraphError.Detail] { mistakes(in: topology, topology.openNodes) }

    /// The same, with what is open of the topology.
    func mistakes(in topology: Topology, _ open: [OpenNode]) -> [GraphError.Detail] {
        var found: [GraphError.Detail] = []
        for (index, parameter) in parameters.enumerated() {
            let path = "$.Properties.Parameters[\(index)]"
            guard let declaration = topology.parameter(parameter.name) else {
                found.append(
                    GraphError.Detail(
                        .parameterNotDeclared, at: path + ".Name",
                        "The topology \(topology.name) declares no parameter of this name: leave it out."))
                continue
            }
            guard let value = parameter.value, !declaration.type.takes(value.text) else { continue }
            found.append(
                GraphError.Detail(
                    .parameterValueInvalid, at: path + ".Value",
                    "The value of \(declaration.name) must be \(declaration.type.rule)."))
        }
        let given = Set(parameters.filter { $0.value != nil }.map { $0.name.lowercased() })
        for missing in topology.parameters
        where missing.defaultValue == nil && !given.contains(missing.name.lowercased()) {
            found.append(
                GraphError.Detail(
                    .parameterValueRequired, at: "$.Properties.Parameters",
                    "The parameter \(missing.name) has no default: give it a value."))
        }
        var checker = ValueChecker(api: topology.version, substitution: substitution(in: topology))
        for open in open { checker.check(open.node, open.texts) }
        return found + checker.mistakes
    }

    /// Makes secrets of the values whose parameters the topology declares as such, which it may not have done before.
    package mutating func hideSecrets(of topology: Topology) {
        parameters = parameters.map { $0.adopted(by: topology) }
    }

    func substitution(in topology: Topology) -> Substitution {
        var substitution = Substitution(topologyName: topology.name, declarations: topology.declarations)
        // A wrong name is told once, not again for each text that it would be part of.
        substitution.instanceName = GraphLimits.isName(name) ? name : nil
        var values: [String: Substitution.Value] = [:]
        for (key, declaration) in topology.declarations { values[key] = declaration.defaultValue?.substitute }
        for parameter in parameters where parameter.value != nil {
            values[parameter.name.lowercased()] = parameter.value?.substitute
        }
        if GraphBook.isBuiltIn(topology.name), values[GraphBook.assetKey] == .plain("") {
            values[GraphBook.assetKey] = substitution.instanceName.map { .plain($0) }
        }
        substitution.values = values
        return substitution
    }
}

extension ParameterValue {
    /// For checks and substitution alone.
    var text: String {
        switch self {
        case .plain(let value): ScalarText.of(value) ?? ""
        case .secret(let secret): secret.revealed()
        }
    }
}
