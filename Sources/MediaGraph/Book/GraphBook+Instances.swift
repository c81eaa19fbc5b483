import JSON
import Recording

extension GraphBook {
    func knownInstance(_ name: String) throws(GraphError) -> Entry<Instance> {
        guard let entry = instances[Self.key(name)] ?? cameras[Self.key(name)] else { throw Self.noInstance(name) }
        return entry
    }

    static func noInstance(_ name: String) -> GraphError {
        .notFound("There is no instance \(name.prefix(64)): GraphInstanceList names those that there are.")
    }

    var listedInstances: [Entry<Instance>] {
        let shown = cameras.keys.filter { instances[$0] == nil }
        return (instances.keys + shown).sorted().compactMap { instances[$0] ?? cameras[$0] }
    }

    mutating func setInstance(
        _ request: GraphRequest, _ time: WallTime, _ taken: (String) -> String?
    ) throws(GraphError) -> Outcome {
        let book = self
        var instance = try Instance(
            request.payload, topology: { book.topology($0) }, replacing: { book.instance($0) }, at: time)
        let old = instances[Self.key(instance.name)]?.value
        if let old {
            guard old.state == .inactive else { throw Self.wrongState(old, "update") }
            // Under another spelling it would record to another asset.
            (instance.name, instance.createdAt) = (old.name, old.createdAt)
        } else {
            try checkName(instance, taken)
            guard instances.count < GraphLimits.instances else {
                throw .conflict(
                    .resourceValidationError,
                    "There are \(GraphLimits.instances) instances, which is the most: delete one first.")
            }
        }
        put(instance)
        return .reply(try knownInstance(instance.name).reply(old == nil ? 201 : 200), [.instance(instance.name)])
    }

    /// An instance's camera has a name of its own.
    func checkName(_ instance: Instance, _ taken: (String) -> String?) throws(GraphError) {
        if cameras[Self.key(instance.name)] != nil { throw Self.cameraIsFixed(instance.name) }
        if let owner = taken(instance.cameraName) {
            throw .conflict(
                .resourceValidationError, at: "$.Name",
                "The camera name \(instance.cameraName) is taken by \(owner): choose another name.")
        }
    }

    mutating func deleteInstance(_ name: String) throws(GraphError) -> Outcome {
        guard let instance = instances[Self.key(name)]?.value else {
            if cameras[Self.key(name)] != nil { throw Self.cameraIsFixed(name) }
            return .reply(MethodReply(status: 204), [])
        }
        guard instance.state == .inactive else { throw Self.wrongState(instance, "delete") }
        instances[Self.key(name)] = nil
        return .reply(MethodReply(status: 200), [.instanceRemoved(instance.name)])
    }

    static func wrongState(_ instance: Instance, _ verb: String, _ toDo: String? = nil) -> GraphError {
        let nextStep = toDo ?? (instance.state == .deactivating ? "wait until it is Inactive" : "deactivate it first")
        return .conflict(
            .operationNotAllowedInState,
            "Cannot \(verb) the instance \(instance.name) while it is \(instance.state.rawValue): \(nextStep).")
    }

    private static func cameraIsFixed(_ name: String) -> GraphError {
        .conflict(
            .resourceValidationError, at: "$.Name",
            "\(name) is a camera of cvr.yaml: change it there or with cvrctl camera, or choose another name.")
    }
}
