import JSON
import MediaGraph
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// Events of media graphs, made of what workers and cvr-sync tell anyway.
extension Supervisor {
    /// On this box, where LVA names an account of Azure.
    private var topic: String { "/sites/\(box.site)/boxes/\(surroundings.host)" }

    /// Trouble of the box with media graphs; once, until `isTroubled` is false again.
    func tellTrouble(_ code: String, _ words: String) {
        guard !graph.isTroubled else { return }
        graph.isTroubled = true
        tell(.runtimeError(code: code), camera: nil, words)
    }

    func tell(
        _ event: MediaGraphEvent, camera: CameraName?, at time: WallTime = .now, correlation: String? = nil,
        _ words: String
    ) {
        let graph = GraphEvent(
            topic: topic, subject: event.subject, eventTime: time.rfc3339, dataVersion: MediaGraphEvent.dataVersion,
            body: event.body, correlationId: correlation, output: event.output)
        let told = Listing.Event(
            time: time.rfc3339, type: event.type, camera: camera?.text, detail: words, graph: graph)
        events.append(told)
        spool.append(told)
    }

    func tell(_ camera: CameraName, _ happenings: [Chronicle.Happening], at time: WallTime = .now) {
        guard !happenings.isEmpty else { return }
        graph.unwritten.insert(camera)
        graph.asked[camera] = nil
        let nodes = nodes(of: camera)
        for happening in happenings {
            tell(
                MediaGraphEvent(happening, of: nodes), camera: camera, at: time, correlation: happening.correlation,
                happening.words)
        }
        graphInbox.yield(.recorded(camera))
    }

    private func nodes(of camera: CameraName) -> GraphNodes {
        if let active = graph.active[camera] { return GraphNodes(active.plan) }
        guard written.cameras[camera] == nil else { return GraphNodes(camera) }
        // One that cannot run, or is out of the table just before its deactivation is done, is an instance none the less;
        // one that nothing is known of is told of by the camera's name.
        let plan = try? graph.book.plan(of: camera.text)
        return plan.map { GraphNodes($0) } ?? GraphNodes(camera)
    }

    // MARK: What workers tell

    /// A message of a camera's worker, after it was told as our own event.
    func note(_ message: IngestToSupervisor, of camera: CameraName) async {
        switch message {
        case .sessionStarted(let session, let time, let window):
            note(session: session, window, of: camera, at: time)
        case .progress(let progress): note(progress, of: camera)
        case .event("mediaSessionEstablished", let time, let sdp): note(established: sdp, of: camera, at: time)
        case .event("windowClosed", let time, let detail):
            let words = detail.split(separator: " ")
            guard let id = words.first else { return }
            let numbers = words.dropFirst().map { Int64($0).flatMap { $0 > 0 ? $0 : nil } }
            let closed = graph.chronicles[camera]?.windowClosed(
                String(id), session: numbers.first ?? nil, first: numbers.dropFirst().first ?? nil)
            tell(camera, closed ?? [], at: time)
            await forgetWindows(of: camera)
        default: break
        }
    }

    private static let sdpPrefix = "SDP:\n"

    /// A worker says it again to each cvrd that it meets.
    private func note(established sdp: String, of camera: CameraName, at time: WallTime) {
        guard graph.isLoaded else { return graph.keep(established: sdp, of: camera, at: time) }
        guard graph.chronicles[camera]?.established != time else { return }
        graph.chronicles[camera, default: Chronicle()].established = time
        graph.unwritten.insert(camera)
        let nodes = nodes(of: camera)
        tell(
            .mediaSessionEstablished(
                .source(nodes.source, of: nodes.instance),
                sdp: sdp.hasPrefix(Self.sdpPrefix) ? String(sdp.dropFirst(Self.sdpPrefix.count)) : sdp),
            camera: camera, at: time, "the camera sends media")
        graphInbox.yield(.recorded(camera))
    }

    private func note(session: Int64, _ window: String, of camera: CameraName, at time: WallTime) {
        guard graph.isLoaded else { return graph.keep(early: session, of: camera, at: time) }
        if graph.active[camera] == nil, let asset = box.cameras[camera]?.asset,
            graph.chronicles[camera]?.continuousAsset != asset
        {
            tell(camera, graph.chronicles[camera]?.stopped() ?? [], at: time)
            graph.chronicles[camera, default: Chronicle()].begin(asset: asset)
        }
        graph.unwritten.insert(camera)
        tell(camera, graph.chronicles[camera]?.sessionStarted(session, window: window) ?? [], at: time)
        graphInbox.yield(.recorded(camera))
    }

    /// What was heard before it was known what an earlier cvrd told.
    func noteEarlySessions() {
        for (camera, early) in graph.takeEarly() where box.cameras[camera] != nil {
            if let (sdp, time) = early.established { note(established: sdp, of: camera, at: time) }
            for (session, time) in early.sessions { note(session: session, "", of: camera, at: time) }
        }
    }

    private func note(_ progress: WorkerProgress, of camera: CameraName) {
        let now = WallTime.now
        // What a worker said to a cvrd that died of it, or to none, it does not say again.
        if progress.session > 0, !progress.window.isEmpty || progress.state == .recording,
            lacks(progress.session, progress.window, of: camera)
        {
            note(session: progress.session, progress.window, of: camera, at: now)
        }
        if !progress.isGateClosed { graph.ends.prolong(progress.window, at: .now) }
        let troubles = graph.troubles[camera, default: CameraTroubles()].hear(progress, at: now)
        guard !troubles.isEmpty, let configuration = box.cameras[camera] else { return }
        let nodes = nodes(of: camera)
        let target = configuration.graph?.isURLSecret == true ? "rtsp://" : configuration.url
        for trouble in troubles {
            tell(
                MediaGraphEvent(trouble, of: nodes, target: target, at: now), camera: camera, at: now, trouble.words)
        }
    }

    private func lacks(_ session: Int64, _ window: String, of camera: CameraName) -> Bool {
        if let chronicle = graph.chronicles[camera], !chronicle.recordings.isEmpty {
            return chronicle.lacks(session, window: window)
        }
        // A camera of a file that is recorded, and of which nothing was told.
        return graph.active[camera] == nil && rows[camera]?.configuration.enabled == true
    }

    /// A camera that is not in the table any more.
    func noteRemoval(of camera: CameraName) {
        graph.troubles[camera] = nil
        graph.timers.forget(camera)
        tell(camera, graph.chronicles[camera]?.stopped() ?? [])
    }

    // MARK: What cvr-sync tells

    func note(_ status: SyncInterface.Status) {
        for cache in status.caches {
            guard let camera = CameraName(cache.name), let chronicle = graph.chronicles[camera],
                !chronicle.questions(stored: cache.storedThrough?.session).isEmpty
            else { continue }
            let reach = GraphTable.Reach(stored: cache.storedThrough, filed: cache.filedThrough)
            guard graph.asked[camera] != reach else { continue }
            graph.asked[camera] = reach
            gates.inbox.yield(.ask(camera))
        }
    }

    /// Asks cvr-sync what became of a camera's recordings, and tells that.
    ///
    /// Throws when it is away, or of an older build.
    func tellOutcomes(of camera: CameraName) async throws {
        let stored = caches[camera.text]?.storedThrough?.session
        let questions = graph.chronicles[camera]?.questions(stored: stored) ?? []
        guard !questions.isEmpty else { return }
        let client = try await ProcessHome.sync(places).connect()
        for sessions in questions {
            let outcome = try await Self.outcome(of: sessions, camera, client)
            tell(camera, graph.chronicles[camera]?.reached(outcome, of: sessions) ?? [])
        }
    }

    static func outcome(
        of sessions: ClosedRange<Int64>, _ camera: CameraName, _ client: VarlinkClient
    ) async throws -> SyncInterface.Outcome {
        try await client.call(
            "io.cvr.Sync.Outcome",
            SyncInterface.Sessions(camera: camera.text, from: sessions.lowerBound, through: sessions.upperBound),
            timeout: .seconds(30))
    }

    func note(_ event: Listing.Event) {
        let time = WallTime(rfc3339: event.time) ?? .now
        switch event.type {
        case "footageLost":
            guard let camera = event.camera.flatMap({ CameraName($0) }), box.cameras[camera] != nil else { return }
            tell(.dataDropped(sink(of: camera)), camera: camera, at: time, event.detail)
        case "fileWritten":
            guard let camera = event.camera.flatMap({ CameraName($0) }) else { return }
            gates.inbox.yield(.ask(camera))
        case "storeAway":
            let store = box.store.location.accountName
            for camera in box.cameras.values where camera.enabled && camera.graph?.uploads != false {
                tell(
                    .storageError(sink(of: camera.name), storageAccountName: store), camera: camera.name, at: time,
                    event.detail)
            }
        case "fileSinkFailed":
            guard let camera = event.camera.flatMap({ CameraName($0) }), let files = box.cameras[camera]?.graph?.files
            else { return }
            let nodes = nodes(of: camera)
            tell(
                .storageError(.sink(nodes.fileSink, of: nodes.instance), storageAccountName: files.directory),
                camera: camera, at: time, event.detail)
        default: break
        }
    }

    private func sink(of camera: CameraName) -> MediaGraphEvent.Origin {
        let nodes = nodes(of: camera)
        return .sink(nodes.assetSink.isEmpty ? nodes.fileSink : nodes.assetSink, of: nodes.instance)
    }

    // MARK: Disk

    /// Writes what was told of a camera's recordings.
    func writeChronicle(of camera: CameraName) async {
        do { try await keepChronicle(of: camera) } catch is CancellationError {
            // cvrd ends, and the disk does not answer: the next one tells it again.
        } catch {
            events.append("stateNotWritten", camera: camera, "\(error)")
        }
    }

    /// What was told last, as of cvr-sync's last pass: else the next cvrd tells it again; and events that nothing else waits for.
    ///
    /// A dead disk is not waited for.
    func writeChronicles() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // One that is being written is known to be there only after another write.
                let graph = await self.graph
                for camera in graph.unwritten.union(graph.writing.keys) { await self.writeChronicle(of: camera) }
                // Cancelled: a dead disk.
                try? await self.spool.flush()
            }
            // Cancelled when they are written.
            group.addTask { [surroundings] in try? await Task.sleep(for: Duration(surroundings.lastWrites)) }
            await group.next()
            group.cancelAll()
        }
    }

    /// One write of a camera at a time; who comes meanwhile has the next one's, or makes it.
    ///
    /// None before media graphs were read: what an earlier cvrd knew would be gone.
    func keepChronicle(of camera: CameraName) async throws {
        graph.unwritten.insert(camera)
        guard graph.isLoaded else { return }
        while true {
            guard graph.writing[camera] == nil else {
                await otherWrite(of: camera)
                try Task.checkCancellation()
                continue
            }
            guard graph.unwritten.remove(camera) != nil else { return }
            graph.writing[camera] = GraphTable.Write()
            defer { for waiter in graph.writing.removeValue(forKey: camera)?.waiters ?? [] { waiter.finish() } }
            do { try await writeNow(camera) } catch {
                graph.unwritten.insert(camera)
                throw error
            }
        }
    }

    private func otherWrite(of camera: CameraName) async {
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        graph.writing[camera]?.waiters.append(end)
        for await _ in ended {}
    }

    private func writeNow(_ camera: CameraName) async throws {
        let files = graphFiles
        var chronicle = graph.chronicles[camera] ?? Chronicle()
        chronicle.gate = graph.active[camera]?.gate?.json ?? .null
        // An event that the chronicle says was told must not be lost by a crash: told again is better than never.
        try await spool.flush()
        try await offPool { [chronicle] in try files.write(chronicle, of: camera) }
    }
}

extension StoreLocation {
    /// What stands for Azure's storage account: the account, the bucket, the folder.
    fileprivate var accountName: String {
        switch self {
        case .file(let path): path
        case .s3(let s3): s3.bucket
        case .azureBlob(let azure): azure.account
        }
    }
}
