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
        var active = active
        // There may have been a reload since it was made.
        active?.follow(written.usual)
        if let camera = active?.camera, let words = collision(of: camera) {
            return .refused(words, nextStep: "Choose another name, or remove the other one")
        }
        graph.active[name] = active
        await apply(withInstances(written), for: name)
        return nil
    }

    private func collision(of camera: CameraConfiguration) -> String? {
        // Before any camera is in the table, an instance that was active keeps its name.
        if let other = written.cameras[camera.name], rows[camera.name] != nil {
            return "\(camera.name) is a camera of \(other.origin)"
        }
        return box.cameras.values.first { $0.name != camera.name && $0.asset == camera.asset }
            .map { "\($0.name) records into the asset \(camera.asset) already" }
    }

    /// Throws for a change of the configuration that is a media graph's matter.
    func refuseInstances(_ change: ConfigurationChange) throws(ChangeRefusal) {
        switch change {
        case .reload: break
        case .add(let camera):
            if let active = graph.active.values.first(where: { $0.camera.asset == camera.name }) {
                throw .refused(
                    "\(camera.name) is the asset of the media graph's active instance \(active.instance)",
                    nextStep: "Choose another name, or run `cvrctl graph instance deactivate \(active.instance)`")
            }
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

    /// What the files say, but for new cameras with the name or the asset of an active instance, and why: nothing else
    /// is to wait for these.
    ///
    /// A camera that is in the table already stays as it was.
    func withoutTaken(_ new: BoxConfiguration) -> (box: BoxConfiguration, taken: [CameraName: ChangeRefusal]) {
        var (box, taken) = (new, [CameraName: ChangeRefusal]())
        for (name, camera) in new.cameras {
            guard
                let active = graph.active[name] ?? graph.active.values.first(where: { $0.camera.asset == camera.asset })
            else { continue }
            let what = active.camera.name == name ? "has the name" : "records into the asset"
            taken[name] = .refused(
                "the camera \(name) of \(camera.origin) \(what) of the media graph's active instance \(active.instance)",
                nextStep: "Rename it, or run `cvrctl graph instance deactivate \(active.instance)` and `cvrctl reload`")
            box.cameras[name] = active.camera.name == name ? nil : written.cameras[name]
        }
        return (box, taken)
    }

    /// What cameras have that say nothing themselves, active instances have too.
    func follow(_ usual: CameraDefaults) {
        for name in graph.active.keys { graph.active[name]?.follow(usual) }
    }

    /// What the plan is as a camera; throws why it cannot be one here.
    ///
    /// `begun` is the asset of an activation that goes on.
    func active(_ plan: RecordingPlan, _ name: CameraName, begun: String? = nil) throws(GraphError)
        -> GraphTable.Active
    {
        if let refusal = plan.error(with: PlanCheck(box: written, places: places).details(of: plan)) { throw refusal }
        var session = plan.sessionAsset(at: .now)
        if plan.asset?.pattern.hasTime == true, !session.isEmpty, let begun { session = begun }
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
            let active = try active(plan, name)
            // cvr-sync shut itself in without a folder that was not there: the next one has it.
            if try await PlanCheck(box: written, places: places).makeFolder(of: plan, disks) {
                sync?.keeper.order(.restart(.stopped))
            }
            var chronicle = Chronicle()
            if plan.gate == nil { chronicle.begin(asset: plan.continuousAsset(active.camera)) }
            graph.chronicles[name] = chronicle
            // Before the worker: what it records without that, the next cvrd would tell nothing of.
            do { try await keepChronicle(of: name) } catch {
                graph.chronicles[name] = nil
                return .unwritten(error)
            }
            let refusal = await queue(active, name)
            if refusal != nil { graph.chronicles[name] = nil }
            return refusal.map { GraphError($0) }
        } catch {
            return error
        }
    }

    /// False when it is not on disk: until then the next cvrd would take it for active.
    func conclude(activationOf name: String, _ failure: GraphError?) async -> Bool {
        let (reply, changes) = graph.book.activated(name, failure)
        let isWritten = await write(changes) == nil
        release(name, reply)
        return isWritten
    }

    private func queue(_ active: GraphTable.Active?, _ name: CameraName) async -> ChangeRefusal? {
        let (answers, answer) = AsyncStream.makeStream(of: ChangeRefusal?.self)
        let stopping = ChangeRefusal.failed("cvrd is stopping", nextStep: "Start it again")
        if case .terminated = pendingInbox.yield(.instance(name, active, answer)) { return stopping }
        for await refusal in answers { return refusal }
        return stopping
    }

    // MARK: Cameras of files

    /// As by `cvrctl camera start`.
    func startCamera(_ instance: String) async -> MethodReply {
        guard let name = CameraName(instance: instance) else { return MethodReply(.taken("it is no camera's name")) }
        do {
            _ = try await change(.enable(name, true))
            return MethodReply(status: 200)
        } catch {
            return MethodReply(GraphError(switching: error))
        }
    }

    /// As by `cvrctl camera stop`, and drained.
    func stopCamera(_ instance: String) async {
        guard let name = CameraName(instance: instance) else { return }
        do {
            _ = try await change(.enable(name, false))
            await drain(name)
        } catch {
            endDraining(name, MethodReply(GraphError(switching: error)))
        }
    }

    private func endDraining(_ name: CameraName, _ reply: MethodReply) {
        graph.draining.remove(name)
        showCameras()
        release(name.text, reply)
    }

    /// A camera of a file that was stopped, or was when an earlier cvrd ended: its recording ends when all is stored.
    func noteEnd(of camera: CameraName) {
        guard graph.active[camera] == nil, let row = rows[camera], !row.configuration.enabled, row.kept?.pid == nil,
            graph.chronicles[camera]?.continuousAsset != nil, graph.draining.insert(camera).inserted
        else { return }
        showCameras()
        graphInbox.yield(.stopped(camera))
    }

    // MARK: Deactivation

    func deactivate(_ instance: String) async {
        guard let name = CameraName(instance: instance) else { return }
        if graph.held.remove(name) != nil {
            // Its worker, if one was left alone, is nobody's now.
            await removeStrays(only: name)
        } else if var active = graph.active[name] {
            active.camera.enabled = false
            active.gate = nil
            _ = await queue(active, name)
        }
        await drain(name)
    }

    /// Waits until what the camera recorded is where it belongs; goes on after a restart of cvrd.
    func drain(_ name: CameraName) async {
        let instance = graph.book.instance(name.text)?.name
        // A camera of a file has the instance's name by now, and with it all that is to be stored.
        if let instance, written.cameras[name] != nil { return _ = graphInbox.yield(.drained(instance)) }
        await rows[name]?.keeper.settled()
        await rows[name]?.keeper.silent()
        // A continuous recording is over when all of it is stored, as LVA has it.
        if graph.active[name]?.plan.gate != nil { tell(name, graph.chronicles[name]?.stopped() ?? []) }
        do {
            guard try await awaitStored(name) else {
                return endDraining(name, MethodReply(.startedAgain(name)))
            }
            tell(name, graph.chronicles[name]?.stopped() ?? [])
            if instance != nil {
                graph.held.remove(name)
                _ = await queue(nil, name)
            }
            graphInbox.yield(.drained(instance ?? name.text))
        } catch {
            // Cancelled: the next cvrd goes on.
        }
    }

    /// False when it is to record again: a camera of a file that somebody started.
    ///
    /// Throws only when cvrd ends.
    private func awaitStored(_ name: CameraName) async throws -> Bool {
        let patience = MonotonicTime.now + TimeSpan(microseconds: surroundings.gateRound.microseconds * 12)
        var (isAsked, isTold) = (false, false)
        while let reason = await whatWaits(name, &isAsked) {
            if graph.draining.contains(name), rows[name]?.configuration.enabled == true { return false }
            if !isTold, patience < .now {
                isTold = true
                events.append("drainWaits", camera: name, "its deactivation goes on until \(reason)")
            }
            try await Task.sleep(for: .seconds(1))
        }
        return true
    }

    /// Nil when nothing does any more.
    ///
    /// Has cvr-sync look at all caches once, at first: a pass that is asked for cuts another short, and tries a store that
    /// is away; later ones come by themselves.
    private func whatWaits(_ name: CameraName, _ isAsked: inout Bool) async -> String? {
        guard rows[name]?.kept?.pid == nil else { return "its worker ends" }
        do {
            let client = try await ProcessHome.sync(places).connect()
            if !isAsked {
                isAsked = true
                _ = try await client.callRaw("io.cvr.Sync.Now", Data("{}".utf8), timeout: nil)
            }
            let status = try await client.call(
                "io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self, timeout: .seconds(30))
            guard let cache = status.caches.first(where: { $0.name == name.text }) else {
                return try await isWithoutCache(name) ? nil : "cvr-sync finds its cache: is the disk mounted?"
            }
            caches[name.text] = cache
            // Before what became of each: a file that is written by then is told of, and the last one too.
            let unfiled = try await Self.outcome(of: 0...(.max), name, client).unfiled
            try await tellOutcomes(of: name)
            // Told before cvr-sync knew that nobody is to record it: what is open was not counted.
            guard cache.recorded == false else { return "cvr-sync knows that it is stopped" }
            guard cache.pendingSegments == 0 else { return "\(cache.pendingSegments) segments are stored" }
            return unfiled == 0 ? nil : "\(unfiled) files are written"
        } catch {
            // Away for now: it is asked again.
            return "cvr-sync answers: \(error)"
        }
    }

    /// A cache that cvr-sync does not tell of it may not have looked at yet, or its disk is away.
    private func isWithoutCache(_ name: CameraName) async throws -> Bool {
        let places = places
        return try await offPool { try !DiskIdentity.hasCache(name, places) }
    }

    /// False when it is not on disk: until then the next cvrd drains it again, and finds nothing.
    func conclude(deactivationOf instance: String) async -> Bool {
        if let name = CameraName(instance: instance), graph.draining.remove(name) != nil {
            showCameras()
        } else if let name = CameraName(instance: instance), written.cameras[name] == nil {
            graph.chronicles[name] = nil
            await writeChronicle(of: name)
        }
        let (reply, changes) = graph.book.deactivated(instance)
        let isWritten = await write(changes) == nil
        release(instance, reply)
        return isWritten
    }
}

extension GraphError {
    /// A name or an asset is another camera's.
    static func taken(_ words: String) -> GraphError {
        GraphError(
            status: 409, code: "Conflict", message: "The resource is in use by another camera.",
            details: [GraphError.Detail(.resourceValidationError, at: nil, "\(words); choose another one.")])
    }

    /// Of a camera of a file that was to be drained.
    static func startedAgain(_ camera: CameraName) -> GraphError {
        let words = "The camera \(camera) was started again meanwhile: deactivate it once more."
        return GraphError(
            status: 409, code: "Conflict", message: "The request is in conflict with what there is.",
            details: [GraphError.Detail(.operationNotAllowedInState, at: nil, words)])
    }

    /// Why a camera of a file was not started or stopped.
    init(switching error: any Error) {
        switch error as? ChangeRefusal {
        case .refused(let words, let nextStep):
            self.init(status: 409, code: "Conflict", message: "\(words). \(nextStep).")
        case let refusal?: self.init(refusal)
        case nil: self = .stopping
        }
    }

    init(_ refusal: ChangeRefusal) {
        switch refusal {
        case .refused(let words, _): self = .taken(words)
        case .notFound(let words, let nextStep), .invalid(let words, let nextStep), .failed(let words, let nextStep):
            self.init(status: 503, code: "ServerBusy", message: "\(words). \(nextStep).")
        }
    }
}
