import Messages
import Recording
import Supervision
import Testing
import YAMLConfiguration

@Suite("Supervision: doctor")
struct DiagnosisTests {
    /// Every finding that is not ok ends with what to do.
    private func expect(_ check: Admin.Check?, _ verdict: Admin.Check.Verdict, _ words: String...) {
        #expect(check?.verdict == verdict.rawValue, "\(String(describing: check))")
        #expect((check?.nextStep.isEmpty == true) == (verdict == .ok), "\(String(describing: check))")
        for word in words { #expect(check?.message.contains(word) == true, "\(word): \(String(describing: check))") }
    }

    @Test("a clock that nobody synchronises fails, unless cvr.yaml vouches for it")
    func clock() {
        expect(Diagnosis.clock(isSynchronised: true, isTrusted: false), .ok)
        expect(Diagnosis.clock(isSynchronised: false, isTrusted: true), .ok, "vouches")
        expect(Diagnosis.clock(isSynchronised: false, isTrusted: false), .failed)
        expect(Diagnosis.clock(isSynchronised: nil, isTrusted: false), .failed, "can tell")
    }

    @Test("a cvrd that is not run as shipped is a warning, which names what is missing")
    func service() {
        func service(_ group: String?, _ notifying: Bool, _ watched: Bool, _ confined: Bool) -> Admin.Check {
            Diagnosis.service(
                Diagnosis.Service(
                    controlGroup: group, isNotifying: notifying, isWatched: watched, isWithoutNewPrivileges: confined))
        }
        expect(service("/system.slice/cvrd.service", true, true, true), .ok, "as cvrd.service")
        expect(service("/user.slice", false, false, false), .warning, "by hand")
        expect(service("/system.slice/cvrd.service", true, false, true), .warning, "watchdog")
        expect(service("/system.slice/cvrd.service", true, true, false), .warning, "NoNewPrivileges")
        expect(service(nil, true, true, true), .ok)
    }

    @Test("too few descriptors for the cameras fail")
    func descriptors() {
        expect(Diagnosis.descriptors(limit: 1024, cameras: 64), .ok)
        expect(Diagnosis.descriptors(limit: 256, cameras: 64), .failed, "256", "64 cameras")
    }

    private func disk(_ milliseconds: [Int64], writers: Int = 1) throws -> Admin.Check {
        let times = try #require(DiskProbe.Times(milliseconds.map { .milliseconds($0) }))
        return Diagnosis.disk("cacheDisk", "/cache", .measured(times), writers: writers)
    }

    @Test("a slow disk is a warning from 200 ms on, fails from 1 s on, and its cameras wait for each other")
    func disks() throws {
        let fast = Array(repeating: Int64(5), count: 49)
        expect(try disk(fast + [20]), .ok, "5.0 ms (p50)", "20 ms (p99)")
        expect(try disk(fast + [199]), .ok)
        expect(try disk(fast + [200]), .warning)
        expect(try disk(fast + [999]), .warning)
        expect(try disk(fast + [1000]), .failed)
        expect(try disk([30], writers: 16), .ok)
        expect(try disk([30], writers: 17), .warning)
        expect(try disk([30], writers: 34), .failed, "34 cameras")
        expect(Diagnosis.disk("cacheDisk", "/cache", .silent, writers: 1), .failed, "does not answer")
        expect(Diagnosis.disk("cacheDisk", "/cache", .failed("No space"), writers: 1), .failed, "No space")
        #expect(DiskProbe.Times([]) == nil)
    }

    @Test("a store that is away fails, with cvr-sync's own next step")
    func store() {
        let fault = Admin.Fault(code: "storeAway", message: "not mounted", nextStep: "Mount it")
        var sync = Admin.Sync(state: "idle")
        expect(Diagnosis.store(sync), .ok)
        sync.store = Admin.StoreCapabilities(putsIfAbsent: true, vouches: false, readsRanges: true)
        expect(Diagnosis.store(sync), .warning, "each upload is read back")
        sync.store?.vouches = true
        expect(Diagnosis.store(sync), .ok)
        sync.lastError = fault
        expect(Diagnosis.store(sync), .warning, "not mounted")
        sync.breaker = "open"
        expect(Diagnosis.store(sync), .failed, "not mounted")
        #expect(Diagnosis.store(sync).nextStep == "Mount it")
        expect(Diagnosis.store(Admin.Sync(state: "away")), .failed, "cvr-sync is away")
    }

    private static let terabyte = 1e12

    @Test("a store without room for the retention fails, one that is kept for ever and soon full is a warning")
    func storeSpace() {
        let disk = Diagnosis.Disk(total: Self.terabyte, available: Self.terabyte / 2)
        func demand(_ rate: Double, _ days: Int64?) -> Diagnosis.Demand {
            Diagnosis.Demand(bitsPerSecond: rate, retention: days.map { .seconds($0 * 86_400) })
        }
        #expect(Diagnosis.storeSpace(disk, []) == nil)
        // 4 Mb/s are 43.2 GB a day.
        expect(Diagnosis.storeSpace(disk, [demand(4e6, 20)]), .ok)
        expect(Diagnosis.storeSpace(disk, [demand(4e6, 30)]), .failed, "after 23 days")
        expect(Diagnosis.storeSpace(disk, [demand(4e6, 10), demand(4e6, 20)]), .failed)
        expect(Diagnosis.storeSpace(disk, [demand(4e6, nil)]), .ok, "11 days")
        expect(Diagnosis.storeSpace(disk, [demand(8e6, nil)]), .warning, "5 days")
    }

    @Test("budgets that promise more than the disk has are a warning")
    func cacheSpace() {
        let disk = Diagnosis.Disk(total: Self.terabyte, available: Self.terabyte / 2)
        func check(_ gigabytes: Int64...) -> Admin.Check {
            Diagnosis.cacheSpace(
                disk, budgets: gigabytes.map { $0 * 1_000_000_000 }, cacheBytes: 100_000_000_000, minimumFreePercent: 5)
        }
        expect(check(200, 300), .ok)
        expect(check(300, 300), .warning)
    }

    // MARK: Cameras

    private func camera(_ state: CameraState, _ change: (inout Diagnosis.Camera) -> Void = { _ in }) throws
        -> Diagnosis.Camera
    {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        let configuration = try #require(try box.files.load().cameras.values.first)
        var row = Admin.Camera(name: "front", state: state.rawValue, since: "2026-11-23T08:00:00.000Z")
        (row.pid, row.width, row.height, row.lastFrameAge) = (7, 1920, 1080, 0.04)
        (row.bitsPerSecond, row.cacheBudgetBytes) = (4_000_000, 10 << 30)
        var camera = Diagnosis.Camera(
            configuration, row, keyframeInterval: .seconds(2), sandbox: "landlock 4, seccomp", build: "1")
        change(&camera)
        return camera
    }

    private func check(_ name: String, _ camera: Diagnosis.Camera, lag: TimeSpan = .zero) -> Admin.Check? {
        Diagnosis.camera(camera, release: "1", uploadLag: lag).first { $0.name == name }
    }

    @Test("a camera that is well has nothing but ok")
    func well() throws {
        let checks = Diagnosis.camera(try camera(.recording), release: "1", uploadLag: .seconds(60))
        #expect(checks.map(\.name) == ["camera", "keyframes", "space", "sandbox", "build"])
        for check in checks { expect(check, .ok) }
        #expect(checks.allSatisfy { $0.camera == "front" })
    }

    @Test("a camera that is not recorded fails with its own reason and next step; a stopped one does not")
    func reachability() throws {
        for state in CameraState.allCases {
            let fault = Admin.Fault(code: "unreachable", message: "no way to it", nextStep: "Check its cable")
            let found = check("camera", try camera(state) { $0.row.lastError = fault })
            switch state {
            case .recording, .stopped: expect(found, .ok)
            case .starting: expect(found, .warning)
            default:
                expect(found, .failed, "no way to it")
                #expect(found?.nextStep == "Check its cable")
            }
        }
        #expect(Diagnosis.camera(try camera(.stopped), release: "1", uploadLag: .zero).count == 1)
    }

    @Test("keyframes that are further apart than 10 s, or than a segment is long, are a warning")
    func keyframes() throws {
        func check(_ interval: TimeSpan?, segment: TimeSpan = .seconds(30)) throws -> Admin.Check? {
            self.check(
                "keyframes",
                try camera(.recording) {
                    $0.keyframeInterval = interval
                    $0.configuration.segmentLength = segment
                })
        }
        expect(try check(.seconds(10)), .ok, "10.0 s")
        expect(try check(.seconds(11)), .warning, "11.0 s")
        expect(try check(.seconds(4), segment: .seconds(2)), .warning)
        expect(try check(nil), .warning)
        #expect(self.check("keyframes", try camera(.recording) { $0.row.width = 0 }) == nil, "sound alone has none")
    }

    @Test("a cache that is too small for an outage is a warning, one that fills with what waits fails")
    func space() throws {
        func check(_ budget: Int64, pending: Int64 = 0, lag: TimeSpan = .zero) throws -> Admin.Check? {
            self.check(
                "space",
                try camera(.recording) { ($0.row.cacheBudgetBytes, $0.row.pendingBytes) = (budget, pending) }, lag: lag)
        }
        // 4 Mb/s are 1.8 GB an hour.
        expect(try check(2_000_000_000), .ok, "66 min")
        expect(try check(1_700_000_000), .warning, "56 min", "dropped")
        expect(try check(2_000_000_000, lag: .seconds(3600)), .warning)
        expect(try check(2_000_000_000, pending: 1_100_000_000), .failed)
    }

    @Test("a worker that is not confined, or does not say so, is a warning")
    func sandbox() throws {
        func check(_ said: String?) throws -> Admin.Check? {
            self.check("sandbox", try camera(.recording) { $0.sandbox = said })
        }
        expect(try check("landlock 4, seccomp"), .ok, "landlock 4")
        expect(try check("degraded: no landlock (Function not implemented), seccomp"), .warning, "no landlock")
        expect(try check(""), .warning)
        expect(try check(nil), .warning)
    }

    @Test("a worker of another release is a warning")
    func build() throws {
        expect(check("build", try camera(.recording) { $0.build = "0" }), .warning, "release 0")
    }
}
