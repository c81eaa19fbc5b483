package import JSON
package import Recording

/// Every topology and instance of a box, and what LVA's direct methods make of them.
///
/// A value: it runs nothing and writes nothing, but says what is to be run and written. The cameras of cvr.yaml are in
/// it as instances of `cvr-asset`, read-only (`show`). Names are the same in upper and lower case, and stay as they
/// were given. The JSON of each is kept ready, so that a list costs no more than its copy.
package struct GraphBook: Sendable {
    /// What a call leads to.
    package enum Outcome: Sendable {
        /// Write or remove `changes` first, then answer.
        case reply(MethodReply, [Change])
        /// Answer when `activated` was called; `isNew`: the instance has become Activating, which has to be written,
        /// and is to be started. Else it is under way.
        case activate(String, RecordingPlan, isNew: Bool)
        /// The same with `deactivated`, Deactivating, and to be stopped and drained.
        case deactivate(String, isNew: Bool)
        /// A camera of cvr.yaml is to be started, or stopped and drained; answer 200 when that is done.
        case camera(String, starts: Bool)
    }

    /// What has changed, by name as it is stored, which one that replaces it may spell in another case: whoever keeps
    /// files by these names has to make them one.
    package enum Change: Hashable, Sendable {
        case topology(String)
        case topologyRemoved(String)
        case instance(String)
        case instanceRemoved(String)
    }

    /// One topology or instance, and its JSON without secrets.
    struct Entry<Value: Sendable>: Sendable {
        let value: Value
        let payload: JSONValue
        let text: String

        init(_ value: Value, _ payload: JSONValue) {
            (self.value, self.payload, text) = (value, payload, payload.text)
        }

        func reply(_ status: Int64) -> MethodReply { MethodReply(status: status, payload: payload, text: text) }
    }

    /// By name in lower case, as all of these.
    var topologies: [String: Entry<Topology>] = [:]
    var instances: [String: Entry<Instance>] = [:]
    var cameras: [String: Entry<Instance>] = [:]
    /// What each instance that is not inactive does.
    var plans: [String: RecordingPlan] = [:]

    package init() {}

    /// Carries out a direct method; an error is a reply too.
    ///
    /// `taken`: who else has a camera name, as "cvr.yaml"; nil when it is free. `takenAsset`: the same of an asset.
    /// `refused`: what the box has against a plan, beside the engine.
    package mutating func perform(
        _ method: String, _ payload: JSONValue?, at time: WallTime, taken: (String) -> String?,
        takenAsset: (String) -> String? = { _ in nil },
        refused: (RecordingPlan) -> [GraphError.Detail] = { _ in [] }
    ) -> Outcome {
        do throws(GraphError) {
            guard let method = GraphMethod(rawValue: method) else { throw .unknownMethod(method) }
            return try perform(method, GraphRequest(payload), time, taken, takenAsset, refused)
        } catch {
            return .reply(MethodReply(error), [])
        }
    }

    private mutating func perform(
        _ method: GraphMethod, _ request: GraphRequest, _ time: WallTime, _ taken: (String) -> String?,
        _ takenAsset: (String) -> String?, _ refused: (RecordingPlan) -> [GraphError.Detail]
    ) throws(GraphError) -> Outcome {
        switch method {
        case .topologySet: return try setTopology(request, time)
        case .topologyGet: return .reply(try knownTopology(request.name).reply(200), [])
        case .topologyList: return try list(listedTopologies, request)
        case .topologyDelete: return try deleteTopology(request.name)
        case .instanceSet: return try setInstance(request, time, taken)
        case .instanceGet: return .reply(try knownInstance(request.name).reply(200), [])
        case .instanceList: return try list(listedInstances, request)
        case .instanceDelete: return try deleteInstance(request.name)
        case .instanceActivate: return try activate(request.name, taken, takenAsset, refused)
        case .instanceDeactivate: return try deactivate(request.name)
        }
    }

    private func list<Value>(_ entries: [Entry<Value>], _ request: GraphRequest) throws(GraphError) -> Outcome {
        try request.checkList()
        let payload = JSONValue.object(["value": .array(entries.map(\.payload))])
        var text = #"{"value":["#
        text.reserveCapacity(entries.reduce(16) { $0 + $1.text.utf8.count + 1 })
        for (index, entry) in entries.enumerated() {
            if index > 0 { text += "," }
            text += entry.text
        }
        text += "]}"
        return .reply(MethodReply(status: 200, payload: payload, text: text), [])
    }

    static func key(_ name: String) -> String { name.lowercased() }
}

/// For whoever runs the instances.
extension GraphBook {
    /// Nil where there is none of that name.
    package func topology(_ name: String) -> Topology? {
        topologies[Self.key(name)]?.value ?? (Self.isBuiltIn(name) ? Self.builtIn?.value : nil)
    }

    /// One that was set; nil for a camera of cvr.yaml, and where there is none.
    package func instance(_ name: String) -> Instance? { instances[Self.key(name)]?.value }

    /// A camera of a file, as it is shown.
    package func camera(_ name: String) -> Instance? { cameras[Self.key(name)]?.value }

    /// Those that were set, by name.
    package var allInstances: [Instance] { instances.sorted { $0.key < $1.key }.map(\.value.value) }

    /// What an instance is to do; throws 404 without it, 409 without its topology or when another records to the same
    /// asset, and what the plan throws.
    package func plan(of name: String) throws(GraphError) -> RecordingPlan {
        if let plan = plans[Self.key(name)] { return plan }
        guard let instance = instance(name) else { throw Self.noInstance(name) }
        guard let topology = topology(instance.topologyName) else {
            throw .conflict(
                .resourceValidationError, at: "$.Properties.TopologyName",
                "The topology \(instance.topologyName) is not there any more: set it again.")
        }
        return try distinct(try RecordingPlan.make(instance, of: topology), in: topology)
    }

    /// As read from disk.
    package mutating func restore(topology: Topology) { put(topology) }

    /// As read from disk, in the state that it had; after its topology, which says what of it is secret.
    package mutating func restore(instance: Instance) {
        var instance = instance
        if let topology = topology(instance.topologyName) { instance.hideSecrets(of: topology) }
        put(instance)
        // `try?`: whoever asks for the plan hears why there is none.
        if instance.state != .inactive { plans[Self.key(instance.name)] = try? plan(of: instance.name) }
    }

    /// The cameras of cvr.yaml as they are now, in place of those shown before.
    package mutating func show(cameras shown: [Instance]) {
        cameras = Dictionary(
            shown.map { (Self.key($0.name), Entry($0, $0.json(.hidden))) }, uniquingKeysWith: { first, _ in first })
    }

    /// Makes what a call changed as it was before it; what came into the book meanwhile stays.
    package mutating func undo(_ changes: [Change], asIn before: GraphBook) {
        for change in changes {
            switch change {
            case .topology(let name), .topologyRemoved(let name):
                topologies[Self.key(name)] = before.topologies[Self.key(name)]
            case .instance(let name), .instanceRemoved(let name):
                instances[Self.key(name)] = before.instances[Self.key(name)]
                plans[Self.key(name)] = before.plans[Self.key(name)]
            }
        }
    }

    mutating func put(_ topology: Topology) {
        topologies[Self.key(topology.name)] = Entry(topology, topology.json(.hidden))
    }

    mutating func put(_ instance: Instance) {
        if instance.state == .inactive { plans[Self.key(instance.name)] = nil }
        instances[Self.key(instance.name)] = Entry(instance, instance.json(.hidden))
    }
}
