import JSON
import Logging
package import MediaGraph
package import Messages
import Recording
import YAMLConfiguration

/// Media graphs: the methods of Live Video Analytics, one after the other, each on disk before it is answered.
///
/// Activations and deactivations go on beside them. What is asked for alone is answered at once.
extension Supervisor {
    /// Answers a direct method; never throws, since LVA's errors are answers.
    package nonisolated func graph(_ call: Admin.GraphCall) async -> MethodReply {
        for await _ in hasBegun {}
        if call.isQuestion, let reply = await answer(call) { return reply }
        let (answers, answer) = AsyncStream.makeStream(of: MethodReply.self)
        if case .terminated = graphInbox.yield(.call(call, answer)) { return MethodReply(GraphError.stopping) }
        for await reply in answers { return reply }
        return MethodReply(GraphError.stopping)
    }

    /// Nil for what is no question.
    private func answer(_ call: Admin.GraphCall) -> MethodReply? {
        guard graph.isLoaded else { return MethodReply(GraphError.notRead(places.graph)) }
        guard case .reply(let reply, _) = perform(call) else { return nil }
        return reply
    }

    private func perform(_ call: Admin.GraphCall) -> GraphBook.Outcome {
        let (cameras, check) = (written.cameras, PlanCheck(box: written, places: places))
        return graph.book.perform(
            call.method, call.payload, at: .now,
            taken: { name in
                if BoxConfiguration.reservedNames.contains(name) { return "cvr-\(name)'s directory" }
                return CameraName(name).flatMap { cameras[$0]?.origin }
            },
            takenAsset: { asset in
                cameras.values.first { $0.asset == asset }.map { "the camera \($0.name) of \($0.origin)" }
            },
            refused: { check.details(of: $0) })
    }

    // MARK: Work

    /// Does what is asked for, and goes on with what an earlier cvrd left, until cvrd ends.
    func keepGraphs() async {
        for await _ in hasBegun {}
        await withDiscardingTaskGroup { group in
            for (name, active) in graph.active where !active.camera.enabled {
                group.addTask { await self.drain(name) }
            }
            for name in graph.held where isDraining(name) { group.addTask { await self.drain(name) } }
            for await work in graphWork { await perform(work, &group) }
            group.cancelAll()
        }
        for waiter in graph.takeAllWaiters() { waiter.finish() }
    }

    private func perform(_ work: GraphWork, _ group: inout DiscardingTaskGroup) async {
        switch work {
        case .call(let call, let answer): await perform(call, for: answer, &group)
        case .activated(let name, let failure):
            if await !conclude(activationOf: name, failure) { settleLater(name, &group) }
        case .drained(let name): if await !conclude(deactivationOf: name) { settleLater(name, &group) }
        case .unsettled(let name): if await write([.instance(name)]) != nil { settleLater(name, &group) }
        case .resumed(let name):
            if graph.active[name]?.camera.enabled == false { group.addTask { await self.drain(name) } }
            await rows[name]?.link.take(graph.chronicles[name]?.openWindows ?? [])
            gates.inbox.yield(.look(name))
        case .stopped(let name): group.addTask { await self.drain(name) }
        case .recorded(let name): if graph.unwritten.contains(name) { await writeChronicle(of: name) }
        }
    }

    private func perform(
        _ call: Admin.GraphCall, for answer: AsyncStream<MethodReply>.Continuation,
        _ group: inout DiscardingTaskGroup
    ) async {
        guard graph.isLoaded else { return finish(answer, MethodReply(GraphError.notRead(places.graph))) }
        let before = graph.book
        switch perform(call) {
        case .reply(let reply, let changes):
            let failure = await write(changes)
            if failure != nil { graph.book.undo(changes, asIn: before) }
            finish(answer, failure.map { MethodReply($0) } ?? reply)
        case .activate(let name, let plan, let isNew):
            graph.waiting[name.lowercased(), default: []].append(answer)
            guard isNew else { return }
            if let failure = await write([.instance(name)]) {
                if await !conclude(activationOf: name, failure) { settleLater(name, &group) }
                return
            }
            group.addTask { await self.activate(name, plan) }
        case .deactivate(let name, let isNew):
            graph.waiting[name.lowercased(), default: []].append(answer)
            guard isNew else { return }
            if let failure = await write([.instance(name)]) {
                graph.book.undo([.instance(name)], asIn: before)
                return release(name, MethodReply(failure))
            }
            group.addTask { await self.deactivate(name) }
        case .camera(let name, starts: true):
            group.addTask { self.finish(answer, await self.startCamera(name)) }
        case .camera(let name, starts: false):
            graph.waiting[name.lowercased(), default: []].append(answer)
            if let camera = CameraName(instance: name) { graph.draining.insert(camera) }
            showCameras()
            group.addTask { await self.stopCamera(name) }
        }
    }

    /// An activation that failed must not be found under way by the next cvrd.
    private func settleLater(_ name: String, _ group: inout DiscardingTaskGroup) {
        group.addTask { [graphInbox] in
            // Cancelled only when nobody reads the inbox any more.
            try? await Task.sleep(for: .seconds(30))
            graphInbox.yield(.unsettled(name))
        }
    }

    /// Answers those who wait for an instance.
    func release(_ name: String, _ reply: MethodReply) {
        for waiter in graph.waiters(of: name) { finish(waiter, reply) }
    }

    private nonisolated func finish(_ answer: AsyncStream<MethodReply>.Continuation, _ reply: MethodReply) {
        answer.yield(reply)
        answer.finish()
    }

    // MARK: Disk

    /// Returns once it is on disk, or why it is not.
    func write(_ changes: [GraphBook.Change]) async -> GraphError? {
        let (files, book) = (graphFiles, graph.book)
        do {
            try await offPool {
                for change in changes {
                    switch change {
                    case .topology(let name): if let topology = book.topology(name) { try files.write(topology) }
                    case .instance(let name): if let instance = book.instance(name) { try files.write(instance) }
                    case .topologyRemoved(let name): try files.remove(topology: name)
                    case .instanceRemoved(let name): try files.remove(instance: name)
                    }
                }
            }
            for change in changes { graph.unread.subtract(change.files) }
            graph.isTroubled = graph.isTroubled && changes.isEmpty
            return nil
        } catch {
            events.append("stateNotWritten", "\(error)")
            tellTrouble("stateNotWritten", "media graphs cannot be written")
            return .unwritten(error)
        }
    }

    var graphFiles: GraphFiles {
        GraphFiles(places: places, credentials: credentials, key: graph.key, takesNewKey: graph.unread.isEmpty)
    }

    /// Cameras of files are instances of `cvr-asset`.
    func showCameras() {
        let (places, since, draining) = (places, graph.since, graph.draining)
        let shown = written.cameras.values.compactMap { camera in
            Instance.shown(
                camera, places,
                state: draining.contains(camera.name) ? .deactivating : camera.enabled ? .active : .inactive,
                since: since)
        }
        graph.book.show(cameras: shown)
    }
}

extension GraphBook.Change {
    /// What is on disk as it was set: nothing is to be read of it any more.
    fileprivate var files: [String] {
        switch self {
        case .topology(let name), .topologyRemoved(let name): ["topologies/\(name.lowercased())"]
        case .instance(let name), .instanceRemoved(let name): ["instances/\(name.lowercased())"]
        }
    }
}

extension GraphError {
    static let stopping = GraphError(
        status: 503, code: "ServerBusy", message: "cvrd is stopping; ask again when it runs.")

    static func unwritten(_ error: any Error) -> GraphError {
        GraphError(
            status: 500, code: "InternalServerError", message: "It cannot be kept, and nothing was changed: \(error)")
    }

    static func notRead(_ path: String) -> GraphError {
        GraphError(
            status: 503, code: "ServerBusy",
            message: "\(path) could not be read when cvrd started; make it readable and run `cvrctl reload`.")
    }
}
