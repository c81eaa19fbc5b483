package import JSON
package import Recording

/// Where an instance is in its life; Active does not say that media flows, for the camera may be away.
package enum InstanceState: String, Hashable, Sendable, CaseIterable {
    case inactive = "Inactive"
    case activating = "Activating"
    case active = "Active"
    case deactivating = "Deactivating"
}

/// A value that an instance gives to a parameter of its topology.
package struct InstanceParameter: Hashable, Sendable {
    package var name: String
    /// Nil: the default of the topology.
    package var value: ParameterValue?

    func json(_ form: SecretForm) -> JSONValue {
        var members: [String: JSONValue] = ["name": .string(name)]
        if let value = value?.json(form) { members["value"] = value }
        return .object(members)
    }
}

/// A topology with its parameters given.
package struct Instance: Hashable, Sendable {
    package let version: APIVersion
    package var name: String
    package let topologyName: String
    package let description: String?
    package var parameters: [InstanceParameter]
    package var state: InstanceState
    /// UTC, milliseconds; that of the first Set, where a later one replaces it.
    package var createdAt: WallTime
    package var lastModifiedAt: WallTime
    private let hasParameters: Bool

    /// The payload of GraphInstanceSet, held to its topology; inactive, whatever state it asks for.
    ///
    /// Secrets that it does not give stay those of `old`, the instance of its name. Throws 400 InvalidResource with
    /// every mistake, in the instance and in what its values make of the topology, 409 Conflict when all that is wrong
    /// is that there is no such topology, or InvalidVersion.
    package init(
        _ payload: JSONValue, topology: (String) -> Topology?, replacing old: (String) -> Instance? = { _ in nil },
        at time: WallTime
    ) throws(GraphError) {
        let version = try APIVersion(of: payload)
        var reader = InstanceReader(ValueReader(api: version, room: GraphLimits.instanceLength), payload)
        let found = topology(reader.topologyName)
        if let found { reader.adopt(found, replacing: old(reader.name)) }
        reader.requireValues()
        self.init(reader, at: time)
        var mistakes = reader.mistakes
        if let found { mistakes += self.mistakes(in: found) }
        guard found == nil, !reader.topologyName.isEmpty else {
            guard mistakes.isEmpty else { throw .invalidResource(mistakes) }
            return
        }
        let missing = GraphError.Detail(
            .resourceValidationError, at: "$.Properties.TopologyName",
            "There is no topology of this name: set it first.")
        throw mistakes.isEmpty ? .conflict([missing]) : .invalidResource(mistakes + [missing])
    }

    /// What `json(.sealed)` wrote, in the state it had; throws 400 InvalidResource, also when `open` fails.
    package init(stored: JSONValue, open: @escaping (String) throws -> Secret) throws(GraphError) {
        let version = try APIVersion(of: stored)
        let times = SystemData(stored)
        let reader = InstanceReader(ValueReader(api: version, room: GraphLimits.instanceLength, open: open), stored)
        guard reader.mistakes.isEmpty else { throw .invalidResource(reader.mistakes) }
        self.init(reader, at: times.createdAt)
        lastModifiedAt = times.lastModifiedAt
        state = reader.state
    }

    private init(_ reader: InstanceReader, at time: WallTime) {
        version = reader.version
        name = reader.name
        topologyName = reader.topologyName
        description = reader.description
        parameters = reader.parameters
        hasParameters = reader.hasParameters
        state = .inactive
        createdAt = time.wholeMilliseconds
        lastModifiedAt = time.wholeMilliseconds
    }

    /// The camera that it is while it is active.
    package var cameraName: String { name.lowercased() }

    /// The instance as LVA writes it.
    package func json(_ form: SecretForm) -> JSONValue {
        var properties: [String: JSONValue] = [
            "topologyName": .string(topologyName), "state": .string(state.rawValue),
        ]
        if let description { properties["description"] = .string(description) }
        if hasParameters { properties["parameters"] = .array(parameters.map { $0.json(form) }) }
        return .object([
            "@apiVersion": .string(version.rawValue), "name": .string(name),
            "systemData": SystemData(createdAt: createdAt, lastModifiedAt: lastModifiedAt).json,
            "properties": .object(properties),
        ])
    }
}
