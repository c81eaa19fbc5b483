import FoundationEssentials
import JSON
import Logging
import MediaGraph
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// Instances of media graphs as cameras: an active one is a row in the table of workers, and nothing else.
extension Supervisor {
    // MARK: Table

    /// The cameras of the files, and those of active instances.
    func withInstances(_ written: BoxConfiguration) -> BoxConfiguration {
        var box = written
        for (name, active) in graph.active { box.cameras[name] = active.camera }
        return box
    }

    /// Puts an instance into the table as it is here, or takes it out; a refusal when its name or asset is another's.
    func put(_ active: GraphTable.Active?, _ name: CameraName) async -> ChangeRefusal? {
        guard !isStopping else { return .failed("cvrd is stopping", nextStep: "Start it again") }
        if let camera = active?.camera, let words = collision(of: camera) {
            return .refused(words, nextStep: "Choose another name, or remove the other one")
        }
        graph.active[name] = active
        await apply(withInstances(written), for: name)
        return nil
    }

    private func collision(of camera: CameraConfiguration) -> String? {
        if let other = written.cameras[camera.name] { return "\(camera.name) is a camera of \(other.origin)" }
        return box.cameras.values.first { $0.name != camera.name && $0.asset == camera.asset }
            .map { "\($0.name) records into the asset \(camera.asset) already" }
    }

    /// Throws for a change of the configuration that is a media graph's matter.
    func refuseInstances(_ change: ConfigurationChange) throws(ChangeRefusal) {
        switch change {
        case .reload: break
        case .add(let camera):
            guard let instance = graph.book.instance(camera.name.lowercased())?.name else { return }
            throw .refused(
                "\(camera.name) is the name of the media graph's instance \(instance)",
                nextStep: "Choose another name, or run `cvrctl graph instance delete \(instance)`")
        case .remove(let name):
            guard let instance = instance(behind: name) else { return }
            let first = graph.active[name].map { _ in "`cvrctl graph instance deactivate \(instance)`, then " } ?? ""
            throw .refused(
                "\(name) is an instance of a media graph",
                nextStep: "Run \(first)`cvrctl graph instance delete \(instance)`")
        case .enable(let name, let enabled):
            guard let instance = instance(behind: name) else { return }
            throw .refused(
                "\(name) is an instance of a media graph",
                nextStep: "Run `cvrctl graph instance \(enabled ? "" : "de")activate \(instance)`")
        }
    }

    private func instance(behind name: CameraName) -> String? {
        written.cameras[name] == nil ? graph.book.instance(name.text)?.name : nil
    }

    /// Throws when what the files say now cannot be beside the active instances.
    func refuseCollisions(_ new: BoxConfiguration) throws(ChangeRefusal) {
        for instance in new.cameras.keys.sorted().compactMap({ graph.book.instance($0.text) }) {
            throw .refused(
                "the camera \(instance.cameraName) has the name of the media graph's instance \(instance.name)",
                nextStep: "Rename it, or run `cvrctl graph instance delete \(instance.name)`")
        }
        for active in graph.active.values {
            let other = new.cameras.values.first { $0.asset == active.camera.asset }
            guard let other else { continue }
            throw .refused(
                "the camera \(other.name) of \(other.origin) records into the asset of the media graph's active "
                    + "instance \(active.instance)",
                nextStep: "Rename it, or run `cvrctl graph instance deactivate \(active.instance)`")
        }
    }

    /// What cameras have that say nothing themselves, active instances have too.
    func follow(_ usual: CameraDefaults) {
        for (name, active) in graph.active {
            let session = active.camera.graph?.sessionAsset ?? ""
            var camera = CameraConfiguration(active.plan, name: name, session: session, usual: usual)
            camera.enabled = active.camera.enabled
            graph.active[name]?.camera = camera
        }
    }

    /// Puts an instance into the book as an earlier cvrd left it, and into the table if it was active.
    func restore(_ written: Instance) {
        var instance = written
        // Its activation was not answered, and is not to be asked for again.
        if instance.state == .activating { instance.state = .active }
        graph.book.restore(instance: instance)
        guard instance.state != .inactive else { return }
        do throws(GraphError) {
            try resume(instance)
        } catch {
            var idle = instance
            idle.state = .inactive
            graph.book.restore(instance: idle)
            let reasons = [error.message] + error.details.map(\.message)
            events.append(
                "graphNotActivated", level: .error,
                "the media graph's instance \(instance.name) was active and is not any more: "
                    + reasons.joined(separator: " "))
        }
    }

    private func resume(_ instance: Instance) throws(GraphError) {
        let plan = try graph.book.plan(of: instance.name)
        guard let name = CameraName(instance: instance.name) else { throw .taken("it is no camera's name") }
        var active = try active(plan, name)
        if instance.state == .deactivating { active.camera.enabled = false }
        if let settings = plan.gate, let known = graph.chronicles[name]?.gate {
            active.gate = SignalGate(settings, restoring: known) ?? active.gate
        }
        graph.active[name] = active
        // Until all are in, the box knows none of them.
        box.cameras[name] = active.camera
    }

    /// What the plan is as a camera; throws why it cannot be one here.
    private func active(_ plan: RecordingPlan, _ name: CameraName) throws(GraphError) -> GraphTable.Active {
        if let refusal = PlanCheck(box: written, places: places).refusal(of: plan, as: name) { throw refusal }
        var session = plan.sessionAsset(at: .now)
        if !session.isEmpty, let begun = graph.chronicles[name]?.continuousAsset { session = begun }
        let camera = CameraConfiguration(plan, name: name, session: session, usual: written.usual)
        if let words = collision(of: camera) { throw .taken(words) }
        return GraphTable.Active(
            instance: plan.instance, plan: plan, camera: camera, gate: plan.gate.map { SignalGate($0) })
    }

    // MARK: Activation

    func activate(_ instance: String, _ plan: RecordingPlan) async {
        graphInbox.yield(.activated(instance, await start(plan)))
    }

    private func start(_ plan: RecordingPlan) async -> GraphError? {
        guard let name = CameraName(instance: plan.instance) else {
            return .taken("\(plan.instance) is no camera's name")
        }
        do throws(GraphError) {
            graph.chronicles[name] = nil
            let active = try active(plan, name)
            if plan.gate == nil {
                var chronicle = Chronicle()
                chronicle.begin(asset: plan.continuousAsset(active.camera))
                graph.chronicles[name] = chronicle
            }
            graph.unwritten.insert(name)
            graphInbox.yield(.recorded(name))
            return await queue(active, name).map { GraphError($0) }
        } catch {
            return error
        }
    }

    func conclude(activationOf name: String, _ failure: GraphError?) async {
        let (reply, changes) = graph.book.activated(name, failure)
        // What is not written is active again after a restart, as it is now.
        _ = await write(changes)
        release(name, reply)
    }

    private func queue(_ active: GraphTable.Active?, _ name: CameraName) async -> ChangeRefusal? {
        let (answers, answer) = AsyncStream.makeStream(of: ChangeRefusal?.self)
        let stopping = ChangeRefusal.failed("cvrd is stopping", nextStep: "Start it again")
        if case .terminated = pendingInbox.yield(.instance(name, active, answer)) { return stopping }
        for await refusal in answers { return refusal }
        return stopping
    }

    /// A camera of a file is started and stopped as by `cvrctl camera`.
    func switchCamera(_ instance: String, on: Bool) async -> MethodReply {
        guard let name = CameraName(instance: instance) else { return MethodReply(.taken("it is no camera's name")) }
        do {
            _ = try await change(.enable(name, on))
            if !on { try await awaitStored(name) }
            return MethodReply(status: 200)
        } catch let refusal as ChangeRefusal {
            return MethodReply(GraphError(refusal))
        } catch {
            return MethodReply(GraphError.stopping)
        }
    }

    // MARK: Deactivation

    func deactivate(_ instance: String) async {
        guard let name = CameraName(instance: instance) else { return }
        if var active = graph.active[name] {
            active.camera.enabled = false
            active.gate = nil
            _ = await queue(active, name)
        }
        await drain(name)
    }

    /// Waits until what the camera recorded is where it belongs; goes on after a restart of cvrd.
    func drain(_ name: CameraName) async {
        await rows[name]?.keeper.settled()
        // A continuous recording is over when all of it is stored, as LVA has it.
        if graph.active[name]?.plan.gate != nil { await tell(name, graph.chronicles[name]?.stopped() ?? []) }
        do {
            try await awaitStored(name)
            await tell(name, graph.chronicles[name]?.stopped() ?? [])
            let instance = graph.active[name]?.instance ?? name.text
            _ = await queue(nil, name)
            graphInbox.yield(.drained(instance))
        } catch {
            // Cancelled: the next cvrd goes on.
        }
    }

    /// Throws only when cvrd ends.
    private func awaitStored(_ name: CameraName) async throws {
        while !(await isDrained(name)) { try await Task.sleep(for: .seconds(1)) }
    }

    /// Has cvr-sync look at all caches first: what closed a moment ago counts.
    private func isDrained(_ name: CameraName) async -> Bool {
        // Away for now: it is asked again.
        guard rows[name]?.kept?.pid == nil, let client = try? await ProcessHome.sync(places).connect() else {
            return false
        }
        defer { Task { await client.close() } }
        do {
            _ = try await client.callRaw("io.cvr.Sync.Now", Data("{}".utf8), timeout: nil)
            let status = try await client.call(
                "io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self, timeout: .seconds(30))
            guard let cache = status.caches.first(where: { $0.name == name.text }) else { return true }
            await tell(name, graph.chronicles[name]?.reached(cache) ?? [])
            return cache.pendingSegments == 0 && graph.chronicles[name]?.waitsForFile != true
        } catch {
            return false
        }
    }

    func conclude(deactivationOf instance: String) async {
        if let name = CameraName(instance: instance) {
            graph.chronicles[name] = nil
            await writeChronicle(of: name)
        }
        let (reply, changes) = graph.book.deactivated(instance)
        // What is not written drains again after a restart, which finds nothing.
        _ = await write(changes)
        release(instance, reply)
    }
}

extension GraphError {
    /// A name or an asset is another camera's.
    static func taken(_ words: String) -> GraphError {
        GraphError(
            status: 409, code: "Conflict", message: "The resource is in use by another camera.",
            details: [GraphError.Detail(.resourceValidationError, at: nil, "\(words); choose another one.")])
    }

    init(_ refusal: ChangeRefusal) {
        switch refusal {
        case .refused(let words, _): self = .taken(words)
        case .notFound(let words, let nextStep), .invalid(let words, let nextStep), .failed(let words, let nextStep):
            self.init(status: 503, code: "ServerBusy", message: "\(words). \(nextStep).")
        }
    }
}
