import Dispatch
import Glibc
import Isolation
import Logging
import Messages
import Recording
import Supervision
import Testing
import YAMLConfiguration

@Suite("Supervision: state files")
struct StateFilesTests {
    @Test("a credential is one line of a file that nobody else can read")
    func credentials() throws {
        let box = try TemporaryBox()
        let directory = "\(box.root)/state/credentials"
        let file = CredentialFile(systemDirectory: "\(box.root)/system", stateDirectory: directory)
        try SmallFileFixture.credential("pass word\n", "a", box)
        #expect(try file.read("a").revealed() == "pass word")
        #expect(try file.read("\(directory)/a").revealed() == "pass word")
        try SmallFileFixture.write("systemd", "\(box.root)/system/a", mode: 0o440)
        #expect(try file.read("a").revealed() == "systemd")
        for (name, text) in [
            ("two", "a\nb\n"), ("empty", "\n"), ("nul", "a\0b"), ("long", String(repeating: "x", count: 5000)),
        ] {
            try SmallFileFixture.credential(text, name, box)
            #expect(throws: Refusal.self, "\(name)") { try file.read(name) }
        }
        chmod("\(directory)/a", 0o640)
        #expect(throws: Refusal.self) { try file.read("\(directory)/a") }
        // What systemd passed is as old as cvrd.
        try SmallFileFixture.write("", "\(box.root)/system/passed", mode: 0o440)
        let passed = #expect(throws: Refusal.self) { try file.read("passed") }
        #expect(passed?.fault.nextStep.contains("systemctl restart cvrd") == true)
        let own = #expect(throws: Refusal.self) { try file.read("empty") }
        #expect(own?.fault.nextStep.contains("cvrctl reload") == true)
        #expect(throws: Refusal.self) { try file.read("missing") }
        #expect(throws: Refusal.self) { try file.read(directory) }
    }

    @Test("a camera's last session is kept apart from its cache; noise there counts for none")
    func sessionMark() throws {
        try onBox { places, camera in
            let mark = SessionMark(camera, places)
            #expect(try mark.read() == 0)
            try mark.write(41)
            try mark.write(42)
            #expect(try mark.read() == 42)
            try SmallFileFixture.write("nonsense", "\(places.sessions)/\(camera)")
            #expect(try mark.read() == 0)
        }
    }

    private func onBox(_ test: (Places, CameraName) throws -> Void) throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        try test(try box.places(), try #require(CameraName("front")))
        withExtendedLifetime(box) {}
    }

    @Test("a new camera's cache and state are tied together, once")
    func identityIsMade() throws {
        try onBox { places, camera in
            #expect(try DiskIdentity.check(camera, places) == .created)
            #expect(try DiskIdentity.check(camera, places) == .known)
            try SmallFile.remove(places.identity(camera))
            #expect(try DiskIdentity.check(camera, places) == .adopted)
            #expect(try DiskIdentity.check(camera, places) == .known)
        }
    }

    @Test("an unmounted or swapped disk is refused and nothing is made on it")
    func wrongDisk() throws {
        try onBox { places, camera in
            _ = try DiskIdentity.check(camera, places)
            let mark = places.cacheDirectory(camera) + "/identity.json"
            try SmallFileFixture.write(#"{"uuid": "other", "camera": "front", "version": 1}"#, mark)
            #expect(throws: Refusal.self) { try DiskIdentity.check(camera, places) }
            try SmallFile.remove(mark)
            #expect(throws: Refusal.self) { try DiskIdentity.check(camera, places) }
            #expect(rmdir(places.cacheDirectory(camera)) == 0)
            #expect(throws: Refusal.self) { try DiskIdentity.check(camera, places) }
            #expect(access(places.cacheDirectory(camera), F_OK) != 0)
            try SmallFile.remove(places.identity(camera))
            try SmallFileFixture.write(#"{"uuid": "x", "camera": "yard", "version": 1}"#, mark)
            #expect(throws: Refusal.self) { try DiskIdentity.check(camera, places) }
            try SmallFileFixture.write("{", mark)
            #expect(throws: Refusal.self) { try DiskIdentity.check(camera, places) }
        }
    }

    @Test("a pid file names a process only if that process was started for the same camera")
    func processRecords() async throws {
        let box = try TemporaryBox()
        let path = "\(box.root)/lock.a"
        let victim = try RunningProcess.spawn(
            Launch(
                executable: "/usr/bin/python3",
                arguments: ["-c", "import signal; signal.pause()", "--camera", "front", "--slot", "a"]))
        func named(_ startTime: UInt64, _ bootID: String, _ arguments: [String]) throws -> Bool {
            try SmallFileFixture.write(
                "{\"pid\": \(victim.pid), \"startTime\": \(startTime), \"bootID\": \"\(bootID)\"}", path)
            return ProcessRecord.process(at: path, startedWith: arguments) != nil
        }
        #expect(try named(victim.startTime, ProcessFacts.bootID(), ["--camera", "front", "--slot"]))
        #expect(try !named(victim.startTime, ProcessFacts.bootID(), ["--camera", "yard", "--slot"]))
        #expect(try !named(victim.startTime + 1, ProcessFacts.bootID(), ["--camera", "front", "--slot"]))
        #expect(try !named(victim.startTime, "other", ["--camera", "front", "--slot"]))
        for garbage in ["", "{", "[]", #"{"pid": 99999999999999}"#] {
            try SmallFileFixture.write(garbage, path)
            #expect(ProcessRecord.process(at: path, startedWith: []) == nil)
        }
        await Leftover.end(victim)
        #expect(!victim.signal(0))
    }

    @Test("programs are found beside cvrd, else where the package puts them")
    func programs() {
        let found = Programs.beside("/opt/bin/cvrd") { $0 == "/opt/bin/cvr-ingest" }
        #expect(
            found
                == Programs(
                    ingest: "/opt/bin/cvr-ingest", sync: "/usr/libexec/cvr/cvr-sync",
                    playback: "/usr/libexec/cvr/cvr-playback", gateway: "/usr/libexec/cvr/cvr-gateway"))
        #expect(Programs.beside(nil) { _ in true }.sync == "/usr/libexec/cvr/cvr-sync")
    }

    @Test("a log record is one line, whatever it quotes")
    func logLines() {
        let line = LineLogHandler.line(.warning, "a\nb\u{1B}[0m", ["camera": "front"], hasPriority: true)
        #expect(line == "<4>a | b\\u{1b}[0m camera=front\n")
        #expect(LineLogHandler.line(.info, "x", [:], hasPriority: false) == "info x\n")
    }

    @Test("recent events are bounded, and a follower that falls behind is let go")
    func events() async {
        let log = EventLog(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (_, slow) = log.follow()
        for number in 0..<(EventLog.capacity + 10) { log.append("test", "\(number)") }
        #expect(log.recent.count == EventLog.capacity)
        #expect(log.recent.first?.detail == "10")
        var seen = 0
        for await _ in slow { seen += 1 }
        #expect(seen == EventLog.followerBuffer)
    }

    @Test("followers that go away while events happen hold nothing up", .timeLimit(.minutes(1)))
    func followersLeave() async {
        let log = EventLog(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await withDiscardingTaskGroup { group in
            group.addTask { for number in 0..<20_000 { log.append("test", "\(number)") } }
            for _ in 0..<2000 {
                let (_, later) = log.follow()
                let follower = Task { for await _ in later {} }
                // Off the pool, as a socket's thread does when its client hangs up.
                group.addTask {
                    await withCheckedContinuation { continuation in
                        DispatchQueue.global().async {
                            follower.cancel()
                            continuation.resume()
                        }
                    }
                    await follower.value
                }
            }
        }
        #expect(log.recent.count == EventLog.capacity)
    }
}
