import Foundation
import Messages
import Recording
import SegmentStore
import TestSupport
import Testing
import Varlink

/// The real cvr-sync against `rclone copy` of the same files to the same SeaweedFS; `contrib/bench/upload` runs it.
@Suite("Upload bench", .enabled(if: UploadBench.files != nil), .timeLimit(.minutes(20)))
struct UploadBenchTests {
    @Test("uploads at 0.9 of rclone's rate or more, for half its CPU time or less")
    func againstOthers() async throws {
        let bench = try await UploadBench(files: try #require(UploadBench.files))
        var ours: [Cost] = []
        var theirs: [Cost] = []
        // Who comes first may find colder or fuller disks: each does once.
        for round in 0..<2 {
            if round == 0 { theirs.append(try await bench.rclone(round)) }
            ours.append(try await bench.sync(round))
            if round == 1 { theirs.append(try await bench.rclone(round)) }
        }
        let wall = theirs.map(\.wall).reduce(0, +) / ours.map(\.wall).reduce(0, +)
        let processor = ours.map(\.processor).reduce(0, +) / theirs.map(\.processor).reduce(0, +)
        print(
            "\(bench.files) files, \(bench.bytes >> 20) MiB: \(rounded(wall)) of rclone's throughput "
                + "for \(rounded(processor)) of its CPU time")
        #expect(wall >= 0.9)
        #expect(processor <= 0.5)
    }

    private func rounded(_ value: Double) -> String { String(format: "%.2f", value) }
}

/// Seconds.
struct Cost {
    var wall: Double
    var processor: Double
}

/// Caches of closed segments that nothing was done with yet, and who may bring them away.
final class UploadBench {
    /// How many are asked for; nil when nobody does.
    static var files: Int? { ProcessInfo.processInfo.environment["CVR_BENCH_FILES"].flatMap { Int($0) } }

    private static let cameras = ["front", "gate", "hall", "yard"]
    /// 30 s at 2 Mbps.
    private static let (seconds, fragment) = (30, 250_000)

    let files: Int
    private(set) var bytes: Int64 = 0
    private let root = FileManager.default.temporaryDirectory.appending(path: "upload-\(UUID())").path
    private let weed: SeaweedFS

    init(files: Int) async throws {
        self.files = files
        weed = try await SeaweedFS.shared.value
        let clock = ManualClock()
        for (index, name) in Self.cameras.enumerated() {
            let camera = try #require(CameraName(name))
            let recorder = try Recorder(cache: "\(root)/recorded/\(name)", camera: camera, clock: clock)
            try recorder.start()
            for _ in 0..<(files + index) / Self.cameras.count {
                let segment = try recorder.record(seconds: Self.seconds, fragmentBytes: Self.fragment)
                bytes += try recorder.cache.open(segment).length()
            }
            try recorder.stop()
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }  // A leftover in /tmp fails no test.

    func rclone(_ round: Int) async throws -> Cost {
        let parts = weed.credential.split(separator: ":")
        let environment = [
            "RCLONE_CONFIG_WEED_TYPE": "s3", "RCLONE_CONFIG_WEED_PROVIDER": "Other",
            "RCLONE_CONFIG_WEED_ENDPOINT": weed.endpoint, "RCLONE_CONFIG_WEED_ACCESS_KEY_ID": String(parts[0]),
            "RCLONE_CONFIG_WEED_SECRET_ACCESS_KEY": String(parts[1]), "RCLONE_CONFIG": "\(root)/rclone.conf",
        ]
        let script = """
            unset AWS_CA_BUNDLE
            "$1" copy --transfers 4 --include '*.mp4' "$2" "weed:$3" 2>&1 || exit
            times
            """
        let start = ContinuousClock.now
        let done = try await run(
            "/bin/bash",
            ["-c", script, "rclone", try Self.program(), "\(root)/recorded", "\(weed.bucket)/rclone-\(round)"],
            environment: environment, within: .seconds(600))
        let wall = (ContinuousClock.now - start).seconds
        // The shell's own user and system time, then its children's.
        let times = done.text.matches(of: /(\d+)m([\d.]+)s/).suffix(2).compactMap { match in
            Double(match.output.1).flatMap { minutes in Double(match.output.2).map { minutes * 60 + $0 } }
        }
        guard done.ending == .exited(0), times.count == 2 else { throw Missed("rclone: \(done.text)\(done.errors)") }
        return told("rclone", Cost(wall: wall, processor: times[0] + times[1]))
    }

    /// A cvr-sync of its own, with a catalog that is rebuilt before the segments appear in its cache.
    func sync(_ round: Int) async throws -> Cost {
        let place = "\(root)/box-\(round)"
        for folder in ["run", "state/identities", "cache"] {
            try FileManager.default.createDirectory(atPath: "\(place)/\(folder)", withIntermediateDirectories: true)
        }
        let url = "s3://\(weed.bucket)/sync-\(round)?endpoint=\(weed.endpoint)"
        let child = try ChildProcess(
            "\(Repository.binaries)/cvr-sync",
            ["--run", "\(place)/run", "--cache", "\(place)/cache", "--state", "\(place)/state", "--store", url],
            log: "\(place)/log")
        defer { child.signal(SIGKILL) }
        let client = try await eventually("cvr-sync listens (\(place)/log)") {
            try? await VarlinkClient.connect(path: "\(place)/run/sync.sock")  // not yet
        }
        let _: VarlinkEmpty = try await client.call("io.cvr.Sync.Configure", configuration(place, url))
        let _: SyncInterface.PassReport = try await client.call("io.cvr.Sync.Now", VarlinkEmpty())
        for name in Self.cameras {
            try FileManager.default.copyItem(atPath: "\(root)/recorded/\(name)", toPath: "\(place)/cache/\(name)")
        }
        let before = try Self.processorTime(child.pid)
        let start = ContinuousClock.now
        var uploaded: Int64 = 0
        while uploaded < files {
            let report: SyncInterface.PassReport = try await client.call("io.cvr.Sync.Now", VarlinkEmpty())
            uploaded += report.uploaded
            guard report.failed == 0 else { throw Missed("\(report.failed) uploads failed (\(place)/log)") }
        }
        let cost = Cost(
            wall: (ContinuousClock.now - start).seconds, processor: try Self.processorTime(child.pid) - before)
        await client.close()
        return told("cvr-sync", cost)
    }

    private func configuration(_ place: String, _ url: String) -> SyncInterface.Configuration {
        SyncInterface.Configuration(
            site: "plant", cachePath: "\(place)/cache", statePath: "\(place)/state", storeURL: url,
            storeAccess: SyncInterface.StoreAccess(credential: Secret(weed.credential)),
            heartbeatPath: "\(place)/run/heartbeat", minimumFreePercent: 0, trustsClock: true,
            cameras: Self.cameras.map { name in
                SyncInterface.Camera(
                    name: name, asset: name, configured: true, segmentLength: 30, retention: nil, cacheBudgetBytes: 0,
                    dropsOldest: false)
            })
    }

    private func told(_ who: String, _ cost: Cost) -> Cost {
        let rate = Double(bytes) / 1_000_000 / cost.wall
        print(String(format: "%@: %.1f s, %.1f MB/s, %.2f s of CPU", who, cost.wall, rate, cost.processor))
        return cost
    }

    private static func program() throws -> String {
        guard let program = ProcessInfo.processInfo.environment["CVR_BENCH_RCLONE"] else {
            throw Missed("set CVR_BENCH_RCLONE to rclone, as contrib/bench/upload does")
        }
        return program
    }

    /// User and system time of a process, in seconds.
    private static func processorTime(_ pid: pid_t) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw Missed("/proc/\(pid)/stat: \(text)")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
