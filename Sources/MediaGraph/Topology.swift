package import JSON
package import Recording

/// A graph of nodes with parameters left open, as a client set it.
package struct Topology: Hashable, Sendable {
    /// Of the call that set it; it is given back in the same form.
    package let version: APIVersion
    package internal(set) var name: String
    package let description: String?
    package let parameters: [ParameterDeclaration]
    /// Sources, processors, sinks, each in the order they were written.
    package let nodes: [GraphNode]
    /// UTC, milliseconds; that of the first Set, where a later one replaces it.
    package var createdAt: WallTime
    package var lastModifiedAt: WallTime
    /// Lists that were written, empty ones too.
    private let lists: Set<String>
    /// By name in lower case.
    let declarations: [String: ParameterDeclaration]

    /// The payload of GraphTopologySet; throws 400 InvalidResource with every mistake, or InvalidVersion.
    ///
    /// Secrets that it does not give stay those of `old`, the topology of its name: they are not shown, so whoever
    /// sends back what Get answered cannot have them.
    package init(
        _ payload: JSONValue, replacing old: (String) -> Topology? = { _ in nil }, at time: WallTime
    ) throws(GraphError) {
        let version = try APIVersion(of: payload)
        let values = ValueReader(api: version, room: GraphLimits.topologyLength)
        try self.init(TopologyReader(values, payload, replacing: old), at: time)
    }

    /// What `json(.sealed)` wrote; throws as the other does, also when `open` fails.
    package init(stored: JSONValue, open: @escaping (String) throws -> Secret) throws(GraphError) {
        let version = try APIVersion(of: stored)
        let times = SystemData(stored)
        let values = ValueReader(api: version, room: GraphLimits.topologyLength, open: open)
        let reader = TopologyReader(values, stored)
        try self.init(reader, at: times.createdAt)
        lastModifiedAt = times.lastModifiedAt
    }

    private init(_ reader: TopologyReader, at time: WallTime) throws(GraphError) {
        guard reader.mistakes.isEmpty else { throw .invalidResource(reader.mistakes) }
        version = reader.version
        name = reader.name
        description = reader.description
        parameters = reader.parameters
        declarations = reader.declarations
        nodes = reader.nodes
        lists = reader.lists
        createdAt = time.wholeMilliseconds
        lastModifiedAt = time.wholeMilliseconds
    }

    /// The topology as LVA writes it: what was set, with `systemData`.
    package func json(_ form: SecretForm) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        if let description { properties["description"] = .string(description) }
        if lists.contains("parameters") { properties["parameters"] = .array(parameters.map { $0.json(form) }) }
        for section in NodeSection.allCases where lists.contains(section.rawValue) {
            properties[section.rawValue] = .array(nodes.filter { $0.type.section == section }.map { $0.json(form) })
        }
        return .object([
            "@apiVersion": .string(version.rawValue), "name": .string(name),
            "systemData": SystemData(createdAt: createdAt, lastModifiedAt: lastModifiedAt).json,
            "properties": .object(properties),
        ])
    }

    /// Nil where there is none of that name, which is the same in any case.
    package func node(_ name: String) -> GraphNode? {
        let key = name.lowercased()
        return nodes.first { $0.key == key }
    }

    /// Nil where there is none of that name, which is the same in any case.
    package func parameter(_ name: String) -> ParameterDeclaration? { declarations[name.lowercased()] }
}

/// When a topology or an instance was made and last changed.
struct SystemData: Hashable, Sendable {
    var createdAt: WallTime
    var lastModifiedAt: WallTime

    init(createdAt: WallTime, lastModifiedAt: WallTime) {
        self.createdAt = createdAt
        self.lastModifiedAt = lastModifiedAt
    }

    /// That of a topology or an instance on disk; the epoch where there is none.
    init(_ stored: JSONValue) {
        let members = Members(Members(stored)["systemData"])
        func time(_ name: String) -> WallTime? {
            guard case .string(let text) = members[name] else { return nil }
            return WallTime(rfc3339: text)
        }
        createdAt = time("createdAt") ?? WallTime(microseconds: 0)
        lastModifiedAt = time("lastModifiedAt") ?? createdAt
    }

    var json: JSONValue {
        .object(["createdAt": .string(createdAt.rfc3339), "lastModifiedAt": .string(lastModifiedAt.rfc3339)])
    }
}
