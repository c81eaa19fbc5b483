/// LVA's state machine: Inactive, Activating, Active, Deactivating, and back. A call that finds what it wants joins or
/// is done; one that wants the opposite of what is under way is refused.
extension GraphBook {
    mutating func activate(
        _ name: String, _ taken: (String) -> String?, _ takenAsset: (String) -> String?,
        _ refused: (RecordingPlan) -> [GraphError.Detail]
    ) throws(GraphError) -> Outcome {
        guard let instance = instance(name) else { return try switchCamera(name, on: true) }
        switch instance.state {
        case .active: return .reply(MethodReply(status: 200), [])
        case .deactivating: throw Self.wrongState(instance, "activate", "wait until it is Inactive, then try again")
        case .activating: return .activate(instance.name, try plan(of: name), isNew: false)
        case .inactive:
            try checkName(instance, taken)
            let plan = try plan(of: name)
            if let error = plan.error(with: refused(plan)) { throw error }
            try check(plan, takenAsset)
            move(instance, to: .activating)
            plans[Self.key(name)] = plan
            return .activate(instance.name, plan, isNew: true)
        }
    }

    mutating func deactivate(_ name: String) throws(GraphError) -> Outcome {
        guard let instance = instance(name) else { return try switchCamera(name, on: false) }
        switch instance.state {
        case .inactive: return .reply(MethodReply(status: 200), [])
        case .activating: throw Self.wrongState(instance, "deactivate", "wait until it is Active, then try again")
        case .deactivating: return .deactivate(instance.name, isNew: false)
        case .active:
            move(instance, to: .deactivating)
            return .deactivate(instance.name, isNew: true)
        }
    }

    /// The instance runs, or could not be made to: then it is inactive again, and the failure is the answer.
    package mutating func activated(_ name: String, _ failure: GraphError?) -> (MethodReply, [Change]) {
        finish(name, from: .activating, to: failure == nil ? .active : .inactive, failure)
    }

    /// Nothing of the instance records any more, and all of its footage is where it belongs.
    package mutating func deactivated(_ name: String) -> (MethodReply, [Change]) {
        finish(name, from: .deactivating, to: .inactive, nil)
    }

    private mutating func finish(
        _ name: String, from: InstanceState, to: InstanceState, _ failure: GraphError?
    ) -> (MethodReply, [Change]) {
        let reply = failure.map { MethodReply($0) } ?? MethodReply(status: 200)
        guard let instance = instance(name), instance.state == from else { return (reply, []) }
        move(instance, to: to)
        return (reply, [.instance(instance.name)])
    }

    private mutating func move(_ instance: Instance, to state: InstanceState) {
        var moved = instance
        moved.state = state
        put(moved)
    }

    private func switchCamera(_ name: String, on: Bool) throws(GraphError) -> Outcome {
        let camera = try knownInstance(name).value
        switch (camera.state, on) {
        case (.active, true), (.activating, true), (.inactive, false): return .reply(MethodReply(status: 200), [])
        case (.active, false), (.inactive, true): return .camera(camera.name, starts: on)
        case (.deactivating, false): return .deactivate(camera.name, isNew: false)
        case (.deactivating, true):
            throw Self.wrongState(camera, "activate", "wait until it is Inactive, then try again")
        case (.activating, false):
            throw Self.wrongState(camera, "deactivate", "wait until it is Active, then try again")
        }
    }
}
