import Foundation
import JSON
import Messages
import Recording
import TestSupport
import Testing
import Varlink

/// Other people's code judges ours.
@Suite("Varlink: stock Python client", .timeLimit(.minutes(1)))
struct StockClientTests {
    @Test("introspects the service, calls a method, a stream and gets an error")
    func calls() async throws {
        let script = """
            import sys, varlink
            with varlink.Client.new_with_address("unix:" + sys.argv[1]) as client:
                print(sorted(client.get_interfaces()))
                with client.open("test.cvr.Echo") as echo:
                    print(echo.Echo("hello")["text"])
                    print([reply["number"] for reply in echo.Count(3, _more=True)])
                    print(echo.Peer()["peer"]["uid"] >= 0)
                    try:
                        echo.Fail()
                    except varlink.VarlinkError as error:
                        print(error.error(), error.parameters()["nextStep"])
                    print(echo.Echo("after")["text"])
            """
        let stock = try StockClient()
        let done = try await EchoService.run { try await stock.run(["-c", script, $0.path]) }
        #expect(done.ending == .exited(0), "\(done.text)\(done.errors)")
        #expect(
            done.text.split(separator: "\n").suffix(6) == [
                "['org.varlink.service', 'test.cvr.Echo']", "hello", "[1, 2, 3]", "True", "test.cvr.Echo.Sour n",
                "after",
            ])
    }

    @Test("its command line gets information, descriptions and answers")
    func commandLine() async throws {
        let stock = try StockClient()
        try await EchoService.run { service in
            let address = "unix:\(service.path)"
            let info = try await stock.run(["-m", "varlink.cli", "info", address])
            #expect(info.ending == .exited(0) && info.text.contains("test.cvr.Echo"), "\(info.text)")
            let help = try await stock.run(["-m", "varlink.cli", "help", "\(address)/test.cvr.Echo"])
            #expect(help.ending == .exited(0) && help.text.contains("method Echo"), "\(help.text)")
            let call = try await stock.run([
                "-m", "varlink.cli", "call", "\(address)/test.cvr.Echo.Echo", #"{"text":"hi"}"#,
            ])
            #expect(call.ending == .exited(0) && call.text.contains(#""text": "hi""#), "\(call.text)")
        }
    }
}

/// The interface files, parsed by the stock client, against the Swift types that travel.
@Suite("Varlink: interface files", .timeLimit(.minutes(1)))
struct InterfaceFileTests {
    typealias Members = [String: [String: String]]

    static let dump = """
        import json, sys
        from varlink.scanner import Interface, _Alias, _Method, _Error, _Struct, _Array, _Dict, _Maybe, _CustomType, _Object

        def name(kind):
            if isinstance(kind, _Maybe): return "?" + name(kind.element_type)
            if isinstance(kind, _Array): return "[]" + name(kind.element_type)
            if isinstance(kind, _Dict): return "[string]" + name(kind.element_type)
            if isinstance(kind, _CustomType): return kind.name
            return {bool: "bool", int: "int", float: "float", str: "string", _Object: "object"}[type(kind)]

        def fields(kind): return {key: name(value) for key, value in kind.fields.items()}

        members = {}
        for member in Interface(sys.argv[1]).members.values():
            if isinstance(member, _Method):
                members[member.name + "()"] = fields(member.in_type)
                members[member.name + "->"] = fields(member.out_type)
            else:
                members[member.name] = fields(member.type)
        print(json.dumps(members))
        """

    func members(of interface: String) async throws -> Members {
        let done = try await StockClient().run(["-c", Self.dump, interface])
        try #require(done.ending == .exited(0), "\(done.errors)")
        return try JSONDecoder().decode(Members.self, from: done.output)
    }

    /// A filled value's members and their Varlink types; fails when its JSON has other keys.
    func shape(_ value: some Encodable) throws -> [String: String] {
        let shape = Dictionary(
            uniqueKeysWithValues: Mirror(reflecting: value).children.map { child in
                (child.label ?? "", Self.varlink(type(of: child.value)))
            })
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)) as? [String: Any] ?? [:]
        #expect(Set(json.keys) == Set(shape.keys), "every member of \(value) is filled")
        return shape
    }

    static func varlink(_ type: Any.Type) -> String {
        let name = String(describing: type)
        return varlink(name)
    }

    static func varlink(_ name: String) -> String {
        if let map = name.wholeMatch(of: /Dictionary<String, (.*)>/) { return "[string]" + varlink(String(map.1)) }
        if let inner = name.wholeMatch(of: /(Optional|Array)<(.*)>/) {
            return (inner.1 == "Array" ? "[]" : "?") + varlink(String(inner.2))
        }
        let scalars = [
            "String": "string", "Secret": "string", "Int64": "int", "Double": "float", "Bool": "bool",
            "JSONValue": "object",
        ]
        return scalars[name] ?? name
    }

    static let fault = Admin.Fault(code: "c", message: "m", nextStep: "n", time: "t")

    static var sync: Admin.Sync {
        var sync = Admin.Sync(state: "idle")
        (sync.pid, sync.lastError, sync.sandbox, sync.store) = (1, fault, "s", capabilities)
        return sync
    }

    static let graph = Admin.GraphState(instance: "A", topology: "t", state: "Active", gate: "open")

    static var camera: Admin.Camera {
        var camera = Admin.Camera(name: "a", state: "recording", since: "s")
        (camera.pid, camera.lastFrameAge, camera.oldestLocal, camera.lastError) = (1, 0.1, "o", fault)
        (camera.evictionIn, camera.graph) = (1, graph)
        (camera.sandbox, camera.cacheFull, camera.bytesReceived) = ("s", "c", 1)
        (camera.fsyncs, camera.fsyncTime, camera.fsyncP99) = (1, 0.1, 0.1)
        return camera
    }

    static var playback: Admin.Playback {
        var playback = Admin.Playback(state: "running")
        (playback.pid, playback.listen, playback.lastError, playback.sandbox) = (1, "l", fault, "s")
        playback.tls = true
        return playback
    }

    static let receiver = Admin.EventReceiver(name: "mqtt", state: "away", waiting: 1, lastError: fault)

    static var gateway: Admin.Gateway {
        var gateway = Admin.Gateway(state: "running")
        (gateway.pid, gateway.listen, gateway.tls, gateway.lastError) = (1, "l", true, fault)
        (gateway.consumers, gateway.sandbox, gateway.refusedInputs) = ([receiver], "s", 1)
        return gateway
    }

    static var addition: Admin.AddCamera {
        var addition = Admin.AddCamera(name: "a", url: "u")
        (addition.username, addition.password, addition.transport) = ("u", "p", "tcp")
        (addition.segmentLength, addition.retention) = ("PT30S", "P1D")
        return addition
    }

    static let segment = Listing.Segment(
        key: "k", session: 1, counter: 0, start: "s", duration: 1, bytes: 1, frames: 1, state: "closed", local: true)
    static let gap = Listing.Gap(from: "f", to: "t", reason: "r", detail: "d")
    static let span = Listing.Span(from: "f", to: "t", kind: "gap", reason: "r", state: "s")
    static let graphEvent = GraphEvent(
        topic: "t", subject: "s", eventTime: "t", body: .object([:]), correlationId: "c", output: "o")
    static let event = Listing.Event(time: "t", type: "y", camera: "c", detail: "d", graph: graphEvent)
    static let storedEvent = Admin.StoredEvent(sequence: 1, event: event)
    static let query = Listing.Query(camera: "a", from: "f", to: "t")
    static let configuration = Admin.CameraConfiguration(
        name: "a", url: "u", username: "n", transport: "tcp", segmentLength: 30, retention: 1, asset: "a",
        enabled: true,
        origin: "o")

    static let hold = Listing.Hold(id: "i", camera: "c", from: "f", to: "t", reason: "r", created: "c")
    static let finding = Listing.Finding(camera: "c", key: "k", kind: "missing", repaired: true, detail: "d")

    /// What both interfaces answer about footage.
    static let listing: [String: any Encodable & Sendable] = [
        "Hold": hold, "HoldAdd()": Listing.HoldRequest(camera: "c", from: "f", to: "t", reason: "r"),
        "HoldAdd->": Listing.AddedHold(hold: hold), "HoldRemove()": Listing.HoldID(id: "i"),
        "HoldRemove->": VarlinkEmpty(), "HoldList()": Listing.HoldQuery(camera: "c"),
        "HoldList->": Listing.Holds(holds: [hold]), "AdoptedCamera": Listing.AdoptedCamera(name: "n", session: 1),
        "Adopt()": VarlinkEmpty(),
        "Adopt->": Listing.Adopted(cameras: [Listing.AdoptedCamera(name: "n", session: 1)]), "Finding": finding,
        "Verify()": Listing.VerifyRequest(camera: "c", deep: true),
        "Verify->": Listing.Verified(checked: 1, findings: [finding], omitted: 1, omittedUnrepaired: 1),
        "Segment": segment, "Gap": gap, "Span": span, "Event": event, "GraphEvent": graphEvent, "Segments()": query,
        "Gaps()": query,
        "Coverage()": query, "Segments->": Listing.Segments(segments: [segment]), "Gaps->": Listing.Gaps(gaps: [gap]),
        "Coverage->": Listing.Coverage(from: "f", to: "t", recorded: 1, percent: 1, spans: [span]),
        "Events()": VarlinkEmpty(), "Events->": Listing.Events(events: [event]), "Fault": fault,
        "StoreCapabilities": capabilities,
    ]

    static let admin: [String: any Encodable & Sendable] = [
        "Camera": camera, "GraphState": graph, "Sync": sync, "Playback": playback, "CameraConfiguration": configuration,
        "Status()": VarlinkEmpty(),
        "Status->": Admin.Status(
            version: "v", uptime: 1, cameras: [camera], sync: sync, playback: playback, gateway: gateway),
        "Gateway": gateway, "EventReceiver": receiver,
        "Cameras()": VarlinkEmpty(),
        "Cameras->": Admin.Cameras(cameras: [configuration]), "AddCamera()": addition, "AddCamera->": VarlinkEmpty(),
        "RemoveCamera()": Admin.NamedCamera(name: "a"), "RemoveCamera->": VarlinkEmpty(),
        "StartCamera()": Admin.NamedCamera(name: "a"), "StartCamera->": VarlinkEmpty(),
        "StopCamera()": Admin.NamedCamera(name: "a"), "StopCamera->": VarlinkEmpty(),
        "RestartCamera()": Admin.NamedCamera(name: "a"), "RestartCamera->": VarlinkEmpty(),
        "SyncStatus()": VarlinkEmpty(), "SyncStatus->": Admin.SyncReport(sync: sync), "SyncNow()": VarlinkEmpty(),
        "SyncNow->": SyncInterface.PassReport(uploaded: 1, failed: 1), "SyncPause()": VarlinkEmpty(),
        "SyncPause->": VarlinkEmpty(), "SyncResume()": VarlinkEmpty(), "SyncResume->": VarlinkEmpty(),
        "AcceptClock()": VarlinkEmpty(), "AcceptClock->": VarlinkEmpty(), "Reload()": VarlinkEmpty(),
        "Check": Admin.Check("n", camera: "c", .ok, "m", nextStep: "s"), "Doctor()": VarlinkEmpty(),
        "Doctor->": Admin.Checks(checks: [Admin.Check("n", camera: "c", .ok, "m")]),
        "Upgrade()": VarlinkEmpty(), "Upgrade->": Admin.UpgradeStep(camera: "c", .kept, "d"),
        "Forecast": forecast, "CameraCost": cameraCost, "Written": written, "Cost()": VarlinkEmpty(), "Cost->": cost,
        "Reload->": Admin.Reloaded(added: ["a"], removed: ["b"], changed: ["c"], refused: ["d"]),
    ].merging(listing) { own, _ in own }.merging(graphs) { own, _ in own }

    /// What `io.cvr.Admin` has for media graphs.
    static let graphs: [String: any Encodable & Sendable] = [
        "Graph()": Admin.GraphCall(method: "m", payload: .object([:])),
        "Graph->": GraphReply(status: 200, payload: .object([:])),
        "SendMessage()": Admin.InputMessage(input: "i", body: .object([:]), properties: ["p": "v"]),
        "SendMessage->": Admin.Reached(instances: ["i"]), "GraphEvents()": Admin.EventConsumer(consumer: "c"),
        "GraphEvents->": Admin.StoredEvents(events: [storedEvent]), "StoredEvent": storedEvent,
        "AcknowledgeGraphEvents()": Admin.Acknowledgement(consumer: "c", sequence: 1),
        "AcknowledgeGraphEvents->": VarlinkEmpty(),
    ]

    static let cache = SyncInterface.CacheState(
        name: "a", cacheBytes: 1, pendingSegments: 1, pendingBytes: 1, oldestLocal: "o", evictionIn: 1,
        storedThrough: storedThrough, filedThrough: 1, recorded: true)
    static let storedThrough = SyncInterface.StoredThrough(session: 1, counter: 1)
    static let files = SyncInterface.Files(directory: "d", maximumBytes: 1)
    static let syncedCamera = SyncInterface.Camera(
        name: "a", asset: "a", configured: true, segmentLength: 30, retention: 1, cacheBudgetBytes: 1,
        dropsOldest: true,
        files: files, uploads: true, recorded: true)

    static let forecast = Admin.Forecast(
        service: "s3", storageClass: "s", segmentLength: 30, writes: 1, writeCost: 1, storageCost: 1)
    static let cameraCost = Admin.CameraCost(
        name: "n", bitsPerSecond: 1, segmentLength: 30, retention: 1, forecasts: [forecast])
    static let capabilities = Admin.StoreCapabilities(putsIfAbsent: true, vouches: true, readsRanges: true)
    static let written = Admin.Written(since: "s", segments: 1, documents: 1, bytes: 1, lists: 1)
    static let cost = Admin.Cost(
        prices: "p", dated: "d", currency: "c", service: "s3", storageClass: "s", cameras: [cameraCost],
        written: written)

    static let access = SyncInterface.StoreAccess(
        credential: Secret("c"), certificateAuthority: "a", proxy: "p", storageClass: "s")

    static let window = SyncInterface.Bandwidth.Window(days: [0], from: 1, to: 2, limit: 1, liveOnly: true)
    static let metered = SyncInterface.Bandwidth.Metered(interfaces: ["i"], limit: 1, liveOnly: true)
    static let bandwidth = SyncInterface.Bandwidth(limit: 1, schedule: [window], metered: metered)

    static let internals: [String: any Encodable & Sendable] = [
        "Written()": VarlinkEmpty(), "Written->": written, "Camera": syncedCamera, "StoreAccess": access,
        "CacheState": cache, "Files": files, "StoredThrough": storedThrough, "Configure->": VarlinkEmpty(),
        "SegmentClosed->": VarlinkEmpty(),
        "Configure()": SyncInterface.Configuration(
            site: "s", cachePath: "c", statePath: "s", storeURL: "u", storeAccess: access, heartbeatPath: "h",
            minimumFreePercent: 5,
            trustsClock: true, cameras: [syncedCamera], bandwidth: bandwidth, filePaths: ["/f"]),
        "Window": window, "Metered": metered, "Bandwidth": bandwidth, "Pause()": VarlinkEmpty(),
        "Pause->": VarlinkEmpty(), "Resume()": VarlinkEmpty(), "Resume->": VarlinkEmpty(),
        "SegmentClosed()": SyncInterface.Hint(camera: "a"), "Status()": VarlinkEmpty(),
        "Status->": SyncInterface.Status(
            state: "idle", writes: 1, retries: 1, lag: 1, breaker: "closed", lastError: fault, caches: [cache],
            sandbox: "s", build: "b", store: capabilities),
        "Now()": VarlinkEmpty(), "Now->": SyncInterface.PassReport(uploaded: 1, failed: 1),
        "Outcome()": SyncInterface.Sessions(camera: "a", from: 1, through: 1),
        "Outcome->": SyncInterface.Outcome(stored: true, waiting: 1, unfiled: 1, files: ["f"], over: true),
        "Stop()": SyncInterface.Stop(limit: 1), "Stop->": SyncInterface.Stopped(uploaded: 1),
        "AcceptClock()": VarlinkEmpty(), "AcceptClock->": VarlinkEmpty(),
    ].merging(listing) { own, _ in own }

    @Test("each Swift type has exactly the fields of its Varlink type, and no Varlink type is without one")
    func shapes() async throws {
        for (interface, types) in [(VarlinkInterface.admin, Self.admin), (VarlinkInterface.sync, Self.internals)] {
            let members = try await members(of: interface)
            let errors = members.filter { $0.value == ["message": "string", "nextStep": "string"] }
            // The stock client knows one member by a name.
            #expect(
                Set(members.keys.map { $0.prefix { $0.isLetter } }).count
                    == members.keys.count(where: { !$0.hasSuffix("->") }))
            #expect(errors["NotFound"] != nil && errors["Failed"] != nil)
            #expect(Set(members.keys).subtracting(errors.keys) == Set(types.keys))
            for (name, value) in types { #expect(try shape(value) == members[name], "\(name)") }
        }
    }
}
