import Foundation
import FragmentedMP4
import Glibc
import Messages
import ObjectStore
import Recording
import SegmentStore
import TestSupport
import Testing
import Varlink

/// A box without cvrd: caches full of small segments, cameras that go on, and a real cvr-sync now and then.
final class OutageBox {
    /// Of the backlog; what is recorded meanwhile is as long as the period of the passes.
    private static let length = TimeSpan.seconds(30)
    static let period = TimeSpan.seconds(2)

    static var now: WallTime { WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }

    let root = "/dev/shm/cvr-outage-\(UInt32.random(in: 0...UInt32.max))"
    private let cameras: [CameraName]
    private let writers: [SmallSegments]

    init(cameras count: Int) throws {
        cameras = try (1...count).map { try #require(CameraName("cam-\($0)")) }
        for folder in ["run", "cache", "state"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        let root = root
        writers = try cameras.map { try SmallSegments(cache: "\(root)/cache/\($0)", camera: $0) }
    }

    func remove() { try? FileManager.default.removeItem(atPath: root) }  // A leftover fails no test.

    /// Its folder is there at once and stays: what is missing before is the one above it.
    func plugStore() throws {
        try FileManager.default.createDirectory(atPath: "\(root)/nas", withIntermediateDirectories: true)
    }

    /// Segments that end now, as many as a camera records in that time; returns their bytes.
    @discardableResult
    func record(backlog count: Int) throws -> Int64 {
        let each = Int64(count / cameras.count)
        let start = Self.now - Self.length * each - .seconds(60)
        var bytes: Int64 = 0
        for writer in writers {
            try writer.begin(at: start)
            for _ in 0..<each { bytes += try writer.record(lasting: Self.length) }
        }
        return bytes
    }

    /// Every camera closes `count` segments a period until `isDone`; returns how many seconds each waited for the store.
    func recordOn(
        every pause: Duration, segments count: Int, until isDone: () async throws -> Bool
    ) async throws -> [Double] {
        let clock = ContinuousClock()
        var next = clock.now
        for writer in writers { try writer.begin(at: Self.now - .seconds(1)) }
        let last = writers.map(\.session)
        let each = TimeSpan(microseconds: Self.period.microseconds / Int64(count))
        repeat {
            next += pause
            // What closes together ends together: of several the last ends now.
            for writer in writers {
                writer.skip(to: Self.now - each * Int64(count))
                for _ in 0..<count { try writer.record(lasting: each) }
            }
            let left = next - clock.now
            if left > .zero { await firstOf(within: left) { _ in } }
        } while try await !isDone()
        // Those of the last periods are under way.
        await firstOf(within: pause * 3) { _ in }
        return try zip(cameras, last).flatMap { try lags($0, session: $1) }
    }

    /// Runs the real cvr-sync beside `body`; it ends with it.
    func serving(limit: Int64?, _ body: (SyncProcessClient) async throws -> Void) async throws {
        let sync = try ChildProcess(
            "\(Repository.binaries)/cvr-sync",
            [
                "--run", "\(root)/run", "--cache", "\(root)/cache", "--state", "\(root)/state",
                "--store", "file://\(root)/nas/store",
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
            site: "plant", cachePath: "\(root)/cache", statePath: "\(root)/state",
            storeURL: "file://\(root)/nas/store", heartbeatPath: "\(root)/run/heartbeat", minimumFreePercent: 0,
            trustsClock: true,
            cameras: cameras.map { camera in
                SyncInterface.Camera(
                    name: camera.text, asset: camera.text, configured: true, segmentLength: Self.period.seconds,
                    retention: nil, cacheBudgetBytes: 8 << 30, dropsOldest: true)
            }, bandwidth: SyncInterface.Bandwidth(limit: limit))
    }

    /// From the end of each segment of a session to when its object was written.
    private func lags(_ camera: CameraName, session: Int64) throws -> [Double] {
        try objects(camera).filter { $0.session == session }.map { $0.written - $0.end }
    }

    private func objects(_ camera: CameraName) throws -> [(session: Int64, end: Double, written: Double)] {
        let folder = "\(root)/nas/store/plant/\(camera)"
        return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".mp4") }.map { name in
            let object = try #require(ObjectKey("plant/\(camera)/\(name)"))
            let data = try Data(contentsOf: URL(filePath: "\(folder)/\(name).meta"))
            let metadata = try JSONDecoder().decode(ObjectMetadata.self, from: data)
            var status = stat()
            #expect(stat("\(folder)/\(name)", &status) == 0)
            let written = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
            return (metadata.session, Double(object.start.microseconds) / 1e6 + metadata.duration, written)
        }
    }

    /// Each segment that a camera closed is in the store, byte for byte, and nothing else is.
    func expectAllStored() throws {
        for camera in cameras {
            let (cache, store) = ("\(root)/cache/\(camera)", "\(root)/nas/store/plant/\(camera)")
            let local = try FileManager.default.subpathsOfDirectory(atPath: cache).filter { $0.hasSuffix(".mp4") }
            let stored = try FileManager.default.subpathsOfDirectory(atPath: store).filter { $0.hasSuffix(".mp4") }
            #expect(local.count == stored.count)
            for name in local {
                // `MM-SS.mmmZ.<session>.<counter>.mp4` is stored without its session.
                var parts = name.split(separator: ".").map(String.init)
                parts.remove(at: 2)
                let object = "\(store)/\(parts.joined(separator: "."))"
                if !FileManager.default.contentsEqual(atPath: "\(cache)/\(name)", andPath: object) {
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

    /// Uploads what is left.
    func drain() async throws {
        try await eventually("nothing waits any more", within: .seconds(60)) {
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            return try await status().caches.allSatisfy { $0.pendingSegments == 0 } ? true : nil
        }
    }

    /// Bytes; VmHWM of proc(5).
    func peakMemory() throws -> Int {
        let lines = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).split(separator: "\n")
        let peak = try #require(lines.first { $0.hasPrefix("VmHWM:") }).split(whereSeparator: \.isWhitespace)
        return try #require(Int(peak[1])) << 10
    }
}

/// A worker's part: segments of 4 KiB with a real journal, as of any time.
final class SmallSegments {
    private static let sample = 2900

    private let camera: CameraName
    private let track: Track
    private let cache: CacheDirectory
    private let journal: Journal
    private(set) var session: Int64 = 0
    private var counter: Int64 = 0
    private var anchor = WallTime.earliest
    /// From the anchor to the end of what was recorded.
    private var position = TimeSpan.zero

    init(cache path: String, camera: CameraName) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let identity = "{\"uuid\": \"\(UUID())\", \"camera\": \"\(camera)\", \"version\": 1}\n"
        try Data(identity.utf8).write(to: URL(filePath: path + "/identity.json"))
        self.camera = camera
        cache = try CacheDirectory(path: path, camera: camera)
        journal = try Journal(in: cache, now: OutageBox.now)
        track = try Track(stream: StreamDescription(codec: .alaw, clockRate: 8000, channels: 1, sampleRate: 8000))
    }

    /// The next session.
    func begin(at time: WallTime) throws {
        if session > 0 {
            try journal.append(.sessionEnd(session: session, end: anchor + position, reason: .stopped), at: time)
        }
        (session, counter, anchor, position) = (session + 1, 0, time, .zero)
        try journal.append(
            .sessionStart(session: session, anchor: anchor, quality: .synchronised, codecs: "alaw"), at: time)
    }

    /// What comes next begins at `time`, or where the last one ended if that is later.
    func skip(to time: WallTime) { position = max(position, time - anchor) }

    /// Closes one segment, and returns its bytes.
    @discardableResult
    func record(lasting length: TimeSpan) throws -> Int64 {
        let (start, id) = (anchor + position, SegmentID(session: session, counter: counter))
        var encoder = SegmentEncoder(
            tracks: [track],
            info: SegmentInfo(camera: camera, id: id, anchor: anchor, quality: .synchronised, gapBefore: nil))
        let file = try SegmentAppender(
            in: cache, start: start, id: id, initPart: encoder.initPart, journal: journal, now: start)
        let noise = (0..<Self.sample).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(counter) &* 3) }
        try file.append(
            encoder.fragment([
                Sample(
                    track: 0, decodeTime: position.microseconds * 8 / 1000,
                    duration: Int64(length.microseconds * 8 / 1000), compositionOffset: 0, isSync: true, data: noise)
            ]))
        let trailer = encoder.trailer()
        _ = try file.close(trailer: trailer)
        let bytes = file.length + Int64(trailer.count)
        try journal.append(.segmentClosed(id, start: start, duration: length, bytes: bytes), at: start + length)
        counter += 1
        position = position + length
        return bytes
    }
}
