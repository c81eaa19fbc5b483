import Foundation
import Glibc
import Messages
import ObjectStore
import Recording
import TestSupport
import Testing
import Varlink

/// A box without cvrd: caches full of small segments, cameras that go on, and a real cvr-sync now and then.
final class OutageBox {
    /// Of the backlog; what is recorded meanwhile is as long as the period of the passes.
    private static let length = TimeSpan.seconds(30)
    /// Of a segment of 4 KiB.
    static let smallest = 2900

    static var now: WallTime { WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }

    /// In memory, and gone with the box, also with one that fails to start.
    private final class Folder {
        let path = "/dev/shm/cvr-outage-\(UInt32.random(in: 0...UInt32.max))"

        deinit { try? FileManager.default.removeItem(atPath: path) }  // A leftover fails no test.
    }

    private let folder = Folder()
    private var root: String { folder.path }
    let store: OutageStore
    /// Between two passes.
    private let period: TimeSpan
    private let writers: [SmallSegments]
    private var cameras: [CameraName] { writers.map(\.camera) }

    /// As many cameras as there are numbers of `bytes`: those of the media of each of their segments.
    init(_ kind: OutageStore.Kind, segments bytes: [Int], period: TimeSpan) async throws {
        let root = folder.path
        for name in ["run", "cache", "state"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        self.period = period
        store = try await OutageStore(kind, in: root)
        writers = try bytes.enumerated().map { index, bytes in
            let name = "cam-\(index + 1)"
            let camera = try #require(CameraName(name))
            return try SmallSegments(cache: "\(root)/cache/\(name)", camera: camera, bytes: bytes)
        }
    }

    /// Segments that ended a minute ago, `count` of each of these cameras or of all; returns their bytes.
    @discardableResult
    func record(backlog count: Int, of cameras: Range<Int>? = nil) throws -> Int64 {
        let start = Self.now - Self.length * Int64(count) - .seconds(60)
        var bytes: Int64 = 0
        for writer in writers[cameras ?? writers.indices] {
            try writer.begin(at: start)
            for _ in 0..<count { bytes += try writer.record(lasting: Self.length) }
        }
        return bytes
    }

    /// Every camera closes `count` segments a period until `isDone`; returns, of each, how many seconds its segments waited
    /// for the store.
    func recordOn(
        _ sync: SyncProcessClient, segments count: Int, until isDone: () async throws -> Bool
    ) async throws -> [[Double]] {
        let (clock, began) = (ContinuousClock(), Self.now)
        let pause = Duration.microseconds(period.microseconds)
        var next = clock.now
        for writer in writers { try writer.begin(at: began - .seconds(1)) }
        let each = TimeSpan(microseconds: period.microseconds / Int64(count))
        repeat {
            next += pause
            // What closes together ends together: of several the last ends now.
            for writer in writers {
                writer.skip(to: Self.now - each * Int64(count))
                for _ in 0..<count {
                    try writer.record(lasting: each)
                    try sync.hint(writer.camera)
                }
            }
            let left = next - clock.now
            if left > .zero { await firstOf(within: left) { _ in } }
        } while try await !isDone()
        // Those of the last periods are under way.
        await firstOf(within: pause * 3) { _ in }
        return try cameras.map { camera in
            try store.objects(camera).filter { $0.key.start >= began - each * Int64(count) }.map {
                $0.written - Double(($0.key.start + each).microseconds) / 1e6
            }
        }
    }

    /// Runs the real cvr-sync beside `body`; it ends with it.
    func serving(limit: Int64?, _ body: (SyncProcessClient) async throws -> Void) async throws {
        let sync = try ChildProcess(
            "\(Repository.binaries)/cvr-sync",
            [
                "--run", "\(root)/run", "--cache", "\(root)/cache", "--state", "\(root)/state",
                "--store", store.url,
            ])
        let result: Result<Void, any Error>
        do {
            let client = try await eventually("its socket", within: .seconds(60)) {
                // Not there yet.
                try? await VarlinkClient.connect(path: "\(root)/run/sync.sock", timeout: .seconds(1))
            }
            _ = try await client.call("io.cvr.Sync.Configure", configuration(limit), as: VarlinkEmpty.self)
            result = .success(try await body(SyncProcessClient(client: client, pid: sync.pid)))
            await client.close()
        } catch { result = .failure(error) }
        await sync.stop()
        try result.get()
    }

    private func configuration(_ limit: Int64?) -> SyncInterface.Configuration {
        SyncInterface.Configuration(
            site: "plant", cachePath: "\(root)/cache", statePath: "\(root)/state", storeURL: store.url,
            storeAccess: store.access, heartbeatPath: "\(root)/run/heartbeat", minimumFreePercent: 0, trustsClock: true,
            cameras: cameras.map { camera in
                SyncInterface.Camera(
                    name: camera.text, asset: camera.text, configured: true, segmentLength: period.seconds,
                    retention: nil, cacheBudgetBytes: 8 << 30, dropsOldest: true)
            }, bandwidth: SyncInterface.Bandwidth(limit: limit))
    }

    /// Each segment that a camera closed is in the store, byte for byte, and nothing else is.
    func expectAllStored() throws {
        for camera in cameras {
            let cache = "\(root)/cache/\(camera)"
            let local = try FileManager.default.subpathsOfDirectory(atPath: cache).filter { $0.hasSuffix(".mp4") }
            let stored = Set(try store.objects(camera).map(\.key))
            #expect(local.count == stored.count)
            for name in local {
                // `MM-SS.mmmZ.<session>.<counter>.mp4` is stored without its session.
                var parts = name.split(separator: ".").map(String.init)
                parts.remove(at: 2)
                let key = try #require(ObjectKey("plant/\(camera)/\(parts.joined(separator: "."))"))
                if try !stored.contains(key) || !store.holds(key, like: "\(cache)/\(name)") {
                    Issue.record("\(name) of \(camera) is missing or another one")
                }
            }
        }
    }
}

/// What the test asks a running cvr-sync.
struct SyncProcessClient {
    let client: VarlinkClient
    let pid: pid_t

    func status() async throws -> SyncInterface.Status {
        try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
    }

    /// As cvrd tells of a closed segment.
    func hint(_ camera: CameraName) throws {
        try client.notify("io.cvr.Sync.SegmentClosed", SyncInterface.Hint(camera: camera.text))
    }

    func pending() async throws -> Int64 { try await status().caches.reduce(0) { $0 + $1.pendingSegments } }

    /// Waits until cvr-sync knows that the store is away, and when that begins to cost footage.
    func seesOutage(cameras: Int) async throws {
        try await eventually("the outage is noticed", within: .seconds(60)) {
            let status = try await self.status()
            let isForeseen = status.caches.count == cameras && status.caches.allSatisfy { $0.evictionIn != nil }
            return status.breaker != "closed" && isForeseen ? true : nil
        }
    }

    /// Waits until the caches were surveyed.
    func sees(queued: Int) async throws {
        try await eventually("all that waits is known", within: .seconds(900)) {
            try await pending() == Int64(queued) ? true : nil
        }
    }

    /// Uploads what is left.
    func drain() async throws {
        try await eventually("nothing waits any more", within: .seconds(60)) { () async throws -> Bool? in
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            return try await pending() == 0 ? true : nil
        }
    }

    /// Bytes; VmHWM of proc(5).
    func peakMemory() throws -> Int {
        let lines = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).split(separator: "\n")
        let peak = try #require(lines.first { $0.hasPrefix("VmHWM:") }).split(whereSeparator: \.isWhitespace)
        return try #require(Int(peak[1])) << 10
    }
}
