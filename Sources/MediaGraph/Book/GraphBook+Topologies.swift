import JSON
import Recording

extension GraphBook {
    func knownTopology(_ name: String) throws(GraphError) -> Entry<Topology> {
        if let entry = topologies[Self.key(name)] { return entry }
        if Self.isBuiltIn(name), let entry = Self.builtIn { return entry }
        throw .notFound("There is no topology \(name.prefix(64)): GraphTopologyList names those that there are.")
    }

    /// The built-in one only while something uses it: a box without cameras has an empty list.
    var listedTopologies: [Entry<Topology>] {
        var listed = topologies
        if let builtIn = Self.builtIn, !cameras.isEmpty || isInUse(Self.builtInName) {
            listed[Self.builtInName] = builtIn
        }
        return listed.sorted { $0.key < $1.key }.map(\.value)
    }

    mutating func setTopology(_ request: GraphRequest, _ time: WallTime) throws(GraphError) -> Outcome {
        let known = topologies
        var topology = try Topology(request.payload, replacing: { known[Self.key($0)]?.value }, at: time)
        guard !Self.isBuiltIn(topology.name) else { throw Self.builtInIsFixed }
        guard let old = topologies[Self.key(topology.name)]?.value else {
            guard topologies.count < GraphLimits.topologies else {
                throw .conflict(
                    .resourceValidationError,
                    "There are \(GraphLimits.topologies) topologies, which is the most: delete one first.")
            }
            put(topology)
            return stored(topology, 201, [])
        }
        // Under another spelling its instances would record to other assets.
        (topology.name, topology.createdAt) = (old.name, old.createdAt)
        let users = instances(of: topology.name)
        try check(users, allow: topology)
        put(topology)
        return stored(topology, 200, hideSecrets(of: topology, in: users))
    }

    private func stored(_ topology: Topology, _ status: Int64, _ changes: [Change]) -> Outcome {
        let reply = topologies[Self.key(topology.name)]?.reply(status) ?? MethodReply(status: status)
        // Instances first: a crash in between leaves no secret of theirs as it was.
        return .reply(reply, changes + [.topology(topology.name)])
    }

    mutating func deleteTopology(_ name: String) throws(GraphError) -> Outcome {
        guard !Self.isBuiltIn(name) else { throw Self.builtInIsFixed }
        guard let name = topologies[Self.key(name)]?.value.name else { return .reply(MethodReply(status: 204), []) }
        let users = instances(of: name)
        guard users.isEmpty else {
            throw .conflict(
                .graphTopologyInUse,
                "The topology \(name) is in use by \(Self.words(users)): delete these instances first.")
        }
        topologies[Self.key(name)] = nil
        return .reply(MethodReply(status: 200), [.topologyRemoved(name)])
    }

    private func isInUse(_ topology: String) -> Bool {
        instances.values.contains { Self.key($0.value.topologyName) == topology }
    }

    /// By name.
    private func instances(of topology: String) -> [Instance] {
        allInstances.filter { Self.key($0.topologyName) == Self.key(topology) }
    }

    /// LVA's conditions for a change under instances, and ours.
    ///
    /// None of them runs, each can do without what is gone, and what is new has a default; a value that was a secret
    /// stays one.
    private func check(_ users: [Instance], allow topology: Topology) throws(GraphError) {
        let running = users.filter { $0.state != .inactive }
        guard running.isEmpty else {
            throw .conflict(
                .graphTopologyInUse,
                "The topology \(topology.name) is in use by \(Self.words(running)): deactivate these instances first.")
        }
        var details: [GraphError.Detail] = []
        let open = topology.openNodes
        for user in users where details.count < Self.detailLimit {
            details += (user.mistakes(in: topology, open) + Self.exposed(user, by: topology)).map {
                GraphError.Detail(
                    .resourceValidationError, at: $0.target, "Instance \(user.name) does not allow it: \($0.message)")
            }
        }
        guard details.isEmpty else { throw .conflict(Array(details.prefix(Self.detailLimit))) }
    }

    /// A thousand instances would say the same a thousand times.
    private static let detailLimit = 20

    private static func exposed(_ instance: Instance, by topology: Topology) -> [GraphError.Detail] {
        instance.parameters.enumerated().compactMap { index, parameter in
            guard case .secret? = parameter.value, let declared = topology.parameter(parameter.name),
                !declared.isSecret
            else { return nil }
            return GraphError.Detail(
                .resourceValidationError, at: "$.Properties.Parameters[\(index)]",
                "\(parameter.name) was given as a secret and would be shown: make it a SecretString.")
        }
    }

    private mutating func hideSecrets(of topology: Topology, in users: [Instance]) -> [Change] {
        var changes: [Change] = []
        for user in users {
            var hidden = user
            hidden.hideSecrets(of: topology)
            guard hidden != user else { continue }
            put(hidden)
            changes.append(.instance(hidden.name))
        }
        return changes
    }

    private static func words(_ instances: [Instance]) -> String {
        let names = instances.prefix(5).map(\.name).joined(separator: ", ")
        return instances.count > 5 ? "\(names) and \(instances.count - 5) more" : names
    }
}
