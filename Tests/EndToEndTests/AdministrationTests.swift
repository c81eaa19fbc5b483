import Foundation
import Messages
import TestSupport
import Testing

/// One box in an operator's hands: what is said to it over the admin socket, by signals and by its configuration.
@Suite("Administration", .showsEvidence, .timeLimit(.minutes(20)))
struct AdministrationTests {
    /// Recorded from the first to the last moment, whatever is done to the others.
    static let untouched = ["front": "h264-aac", "yard": "h264-video"]
    static let canary = "canary-\(UUID())@home"
    static let user = "viewer"

    @Test("touches what it is meant for; the other cameras keep their worker, their session and every frame (I1, I5)")
    func day() async throws {
        try await Machine.shared.place {
            let recorded = ["front", "yard", "gate"]
            try await withCameras(
                Self.cameras, settings: { $0.cameras.removeAll { !recorded.contains($0.name) } }
            ) { box, rig in
                try await rig.tell("password dock \(Self.canary)")
                try await box.start()
                for camera in recorded { try await box.untilStored(1, of: camera) }
                let workers = try Self.untouched.keys.map { try box.worker(of: $0) }
                try await stockClient(box)
                var settings = await box.settings
                for index in settings.cameras.indices where settings.cameras[index].name == "gate" {
                    settings.cameras[index].url = try rig.url("gate-2")
                }
                try await hangUp(box, settings)
                try await reload(box, settings)
                try await add(box, rig)
                try await stopAndStart(box)
                try await keep(box)
                try await leave(box)
                try await remove(box)
                #expect(try Self.untouched.keys.map { try box.worker(of: $0) } == workers)
                try await interrupt(box)
            }
        }
    }

    private static let cameras =
        untouched.map { CameraRig.Camera($0.key, clip: $0.value) } + [
            .init("gate", clip: "h265"), .init("gate-2", clip: "h264-other-size"),
            .init("dock", clip: "h264-video", "user=\(user)", "password=none"),
        ]

    /// The client from PyPI introspects the service and calls it: an answer, a stream, a typed error.
    private func stockClient(_ box: Box) async throws {
        let script = """
            import sys, varlink
            with varlink.Client.new_with_address("unix:" + sys.argv[1]) as client:
                print(sorted(client.get_interfaces()))
                with client.open("io.cvr.Admin") as admin:
                    print(sorted(camera["name"] for camera in admin.Status()["cameras"]))
                    replies = list(admin.Segments("front", _more=True))
                    print(len([row for reply in replies for row in reply["segments"]]) > 0)
                    try:
                        admin.StopCamera("nobody")
                    except varlink.VarlinkError as error:
                        print(error.error(), len(error.parameters()["nextStep"]) > 0)
            """
        let address = "\(box.root)/run/admin.sock"
        let stock = try StockClient()
        let done = try await stock.run(["-c", script, address])
        #expect(
            done.text.split(separator: "\n") == [
                "['io.cvr.Admin', 'org.varlink.service']", "['front', 'gate', 'yard']", "True",
                "io.cvr.Admin.NotFound True",
            ], "\(done.text)\(done.errors)")
        let help = try await stock.run(["-m", "varlink.cli", "help", "unix:\(address)/io.cvr.Admin"])
        #expect(help.ending == .exited(0) && help.text.contains("method Status"), "\(help.text)\(help.errors)")
        let call = try await stock.run(["-m", "varlink.cli", "call", "unix:\(address)/io.cvr.Admin.SyncStatus"])
        #expect(call.ending == .exited(0) && call.text.contains("\"breaker\""), "\(call.text)\(call.errors)")
    }

    /// SIGHUP: one of three cameras has another address.
    private func hangUp(_ box: Box, _ settings: BoxSettings) async throws {
        let session = try await box.status(of: "gate").session
        try await box.configure(settings)
        await box.signal(SIGHUP)
        try await eventually("the gate's other camera is recorded") {
            let gate = try await box.status(of: "gate")
            return gate.state == "recording" && gate.width == 480 && gate.session > session ? true : nil
        }
    }

    /// An invalid configuration changes nothing; a valid one that changes nothing says so.
    private func reload(_ box: Box, _ settings: BoxSettings) async throws {
        let before = try await box.ask("cameras", as: [Admin.CameraConfiguration].self)
        var broken = settings
        broken.cameras[2].options = ["segmentlength: PT2S"]
        try await box.configure(broken)
        let refused = try await box.run(["reload"])
        #expect(refused.ending != .exited(0))
        #expect(refused.errors.contains("segmentLength"), "the nearest key is named: \(refused.errors)")
        #expect(try await box.ask("cameras", as: [Admin.CameraConfiguration].self) == before)
        try await box.configure(settings)
        let reloaded = try await box.ask("reload", as: Admin.Reloaded.self)
        #expect(reloaded == Admin.Reloaded(added: [], removed: [], changed: []))
    }

    private func add(_ box: Box, _ rig: CameraRig) async throws {
        let words = [
            "camera", "add", "dock", "--url", try rig.url("dock"), "--username", Self.user, "--password-stdin",
        ]
        let added = try await box.run(words, input: Self.canary)
        #expect(added.ending == .exited(0), "\(added.errors)")
        try await box.untilStored(1, of: "dock")
        let twice = try await box.run(words, input: Self.canary)
        #expect(twice.ending == .exited(5), "\(twice.ending) \(twice.errors)")
    }

    /// Stopping leaves a hole with its reason; starting and restarting go on, the latter with another worker.
    private func stopAndStart(_ box: Box) async throws {
        #expect(try await box.run(["camera", "stop", "dock"]).ending == .exited(0))
        try await box.until(["dock"], are: "stopped")
        #expect(!box.processes().contains { $0.camera == "dock" })
        let gap = try await box.gaps(of: "dock").last
        #expect(gap?.reason == "stopped" && gap?.to == nil, "\(String(describing: gap))")
        #expect(try await box.run(["camera", "restart", "dock"]).ending == .exited(5))
        #expect(try await box.run(["camera", "start", "dock"]).ending == .exited(0))
        try await box.until(["dock"], are: "recording")
        let worker = try box.worker(of: "dock")
        #expect(try await box.run(["camera", "restart", "dock"]).ending == .exited(0))
        try await eventually("another worker records") { () -> Bool? in
            guard let next = box.processes().first(where: { $0.camera == "dock" }), next != worker else { return nil }
            return try await box.status(of: "dock").state == "recording" ? true : nil
        }
        let gaps = try await eventually("both holes are closed") {
            let gaps = try await box.gaps(of: "dock")
            return gaps.count >= 2 && gaps.allSatisfy { $0.to != nil } ? gaps : nil
        }
        #expect(gaps.allSatisfy { $0.reason == "stopped" }, "\(gaps)")
    }

    /// SIGUSR2: cvrd goes alone, and the next one takes over what it left, with what it was told by verbs.
    private func leave(_ box: Box) async throws {
        let before = Set(box.processes().filter { $0.program != "cvrd" })
        #expect(before.count == 5)
        #expect(try await box.endSupervisor(SIGUSR2) == .exited(0))
        #expect(Set(box.processes()) == before)
        try await box.start()
        try await box.until(["front", "yard", "gate", "dock"], are: "recording")
        #expect(Set(box.processes().filter { $0.program != "cvrd" }) == before, "something was replaced")
    }

    /// What is removed is recorded no more, keeps its footage, and leaves no password behind.
    private func remove(_ box: Box) async throws {
        let credential = "\(box.root)/state/credentials/added-dock"
        #expect(FileManager.default.fileExists(atPath: credential))
        let cameras = ["front", "yard", "gate", "dock"]
        let traces = try await box.traces(of: Self.canary, user: Self.user, cameras: cameras, except: [credential])
        #expect(traces.isEmpty, "\(traces)")
        #expect(try await box.run(["camera", "remove", "dock"]).ending == .exited(0))
        #expect(!FileManager.default.fileExists(atPath: credential))
        #expect(!box.processes().contains { $0.camera == "dock" })
        #expect(try await box.status().cameras.map(\.name).sorted() == ["front", "gate", "yard"])
        let kept = try await box.segments(of: "dock")
        #expect(!kept.isEmpty)
        #expect(try await box.run(["camera", "remove", "dock"]).ending == .exited(3))
        #expect(try await box.run(["camera", "remove", "front"]).ending == .exited(5), "it is in cvr.yaml")
    }

    /// SIGINT stops everything in order: nothing is half written, and the time from here on has its reason.
    private func interrupt(_ box: Box) async throws {
        var listed: [String: RecordedCamera] = [:]
        for name in Self.untouched.keys { listed[name] = try await RecordedCamera(name, in: box) }
        #expect(try await box.stop(SIGINT) == .exited(0))
        #expect(SegmentFiles.all(in: "\(box.root)/cache", endings: [".partial", ".suspect"]).isEmpty)
        for (name, camera) in listed {
            #expect(camera.gaps.isEmpty && camera.sessions == [1], "\(name): \(camera.gaps)")
            #expect(camera.coverage?.percent == 100, "\(name): \(String(describing: camera.coverage))")
            let journal = try String(contentsOfFile: "\(box.root)/cache/\(name)/journal", encoding: .utf8)
            let gap = journal.split(separator: "\n").last { $0.contains(" gap-") }
            #expect(gap?.contains(" gap-open ") == true && gap?.contains("reason=stopped") == true, "\(journal)")
            let clip = try await SourceClip(Self.untouched[name] ?? "")
            let footage = try await Footage(TestBox.cached(name, session: 1, in: box.root), of: clip)
            #expect(footage.complaints.isEmpty && footage.tracks.allSatisfy(\.isWhole), "\(name): \(footage)")
        }
    }
}
