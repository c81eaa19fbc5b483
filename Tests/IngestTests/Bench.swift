import Foundation
import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

/// A directory of its own, gone with its owner.
final class Workspace {
    let path: String
    private var disk: SmallDisk?

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("ingest-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    /// On a disk of its own, which goes with it.
    init(_ disk: SmallDisk) throws {
        self.disk = disk
        path = disk.path + "/cache"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    // What stays in the temporary directory harms no test.
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Time that passes when a test says so.
final class ManualClock {
    static let start = WallTime(microseconds: 1_800_000_000_000_000)
    var monotonic = MonotonicTime(microseconds: 5_000_000_000)
    var wall = start
    var isSynchronised = true
    /// How long it takes to do what happens between two looks at it.
    var pace = TimeSpan.zero

    func advance(_ span: TimeSpan) {
        monotonic = monotonic + span
        wall = wall + span
    }

    var clocks: Clocks {
        Clocks(
            monotonic: {
                self.advance(self.pace)
                return self.monotonic
            }, wall: { self.wall }, isSynchronised: { self.isSynchronised })
    }
}

extension CameraSettings {
    static func test(segment: TimeSpan = .seconds(5), budget: Int64 = 0, dropsOldest: Bool = true) -> CameraSettings {
        CameraSettings(
            url: "rtsp://192.0.2.1/stream", username: "", password: Secret(""), transport: .tcp,
            acceptsUnverifiedTLS: false, segmentLength: segment, cacheBudgetBytes: budget, dropsOldest: dropsOldest,
            syncHeartbeatPath: "/nonexistent/heartbeat", trustsClock: true)
    }
}

/// A recorder on a real cache directory, with a camera and a clock that a test moves.
final class Bench {
    let workspace: Workspace
    let clock: ManualClock
    let cache: CacheDirectory
    let journal: Journal
    let recorder: Recorder
    private(set) var messages: [IngestToSupervisor] = []
    /// What happens while the recorder tells something, as in the middle of its work.
    var whenTold: (IngestToSupervisor) -> Void = { _ in }

    /// The camera: what it shows, from which frame on, and its clock's distance from ours, in 90 kHz ticks.
    var footage = Footage.plain
    var frame = 0
    var audioPackets: Int64 = 0
    var clockShift: Int64 = 900_000
    /// The source sees where an access unit ends by the begin of the next one, as libavformat does.
    var announcesFrames = false
    private var begun: Packet?
    private var hasVideo = true
    private var hasAudio = true
    private(set) var sent: (video: Int, audio: Int) = (0, 0)

    convenience init(_ settings: CameraSettings = .test()) throws {
        try self.init(settings, in: Workspace(), clock: ManualClock())
    }

    /// Another worker's start in the same cache.
    init(_ settings: CameraSettings = .test(), in workspace: Workspace, clock: ManualClock) throws {
        self.workspace = workspace
        self.clock = clock
        let camera = try #require(CameraName("front"))
        cache = try CacheDirectory(path: workspace.path, camera: camera)
        journal = try Journal(in: cache, now: clock.wall)
        let recovered = try Recovery.run(
            in: cache, journal: journal, now: clock.wall, predecessorEnd: nil, bootChanged: false)
        let box = Box()
        recorder = Recorder(
            camera: camera, cache: cache, facts: FactLog(journal: journal) { box.report($0) }, recovered: recovered,
            settings: settings, clocks: clock.clocks)
        box.report = { [unowned self] message in
            messages.append(message)
            whenTold(message)
        }
    }

    private final class Box {
        var report: (IngestToSupervisor) -> Void = { _ in }
    }

    func connect(video: Bool = true, audio: Bool = true) throws {
        (hasVideo, hasAudio) = (video, audio)
        var streams: [StreamDescription] = []
        if video { streams.append(StreamDescription(codec: footage.codec, clockRate: 90_000)) }
        if audio { streams.append(StreamDescription(codec: .alaw, clockRate: 8000, channels: 1, sampleRate: 8000)) }
        try recorder.connected(Announcement(streams: streams))
    }

    /// The camera delivers for `span`: video each 40 ms, audio each 20 ms, and the worker's loop goes round.
    func play(_ span: TimeSpan, video: Bool = true, audio: Bool = true) {
        for step in 0..<span.microseconds / 20_000 {
            if audio, hasAudio { sendAudio() } else { audioPackets += 1 }
            if step % 2 == 0 {
                if video, hasVideo { sendVideo() } else { frame += 1 }
            }
            clock.advance(.milliseconds(20))
            recorder.tick()
        }
    }

    /// Time passes without a camera's packet and without its clock.
    func wait(_ span: TimeSpan) {
        for _ in 0..<span.microseconds / 50_000 {
            clock.advance(.milliseconds(50))
            recorder.tick()
        }
    }

    func sendVideo() {
        let packet = Packet(
            stream: 0, timestamp: footage.shown(frame) * 3600 + clockShift, isKey: footage.isKey(frame),
            data: footage.units[frame % footage.units.count])
        if !announcesFrames {
            recorder.take(packet)
        } else if var whole = begun {
            whole.following = packet.timestamp
            recorder.take(whole)
        }
        begun = packet
        frame += 1
        sent.video += 1
    }

    func sendAudio() {
        let data = [UInt8](repeating: UInt8(truncatingIfNeeded: audioPackets), count: 160)
        recorder.take(
            Packet(
                stream: hasVideo ? 1 : 0, timestamp: audioPackets * 160 + clockShift * 8000 / 90_000, isKey: true,
                data: data))
        audioPackets += 1
        sent.audio += 1
    }
}

extension Bench {
    private var contents: CacheContents { CacheContents(cache) }

    var records: [JournalEvent] { get throws { try contents.records } }
    var gaps: [Gap] { get throws { try contents.gaps } }
    var segments: [SegmentReader] { get throws { try contents.segments } }

    func paths() throws -> [String] {
        try cache.listing().map { workspace.path + "/" + $0.name.relativePath }
    }

    /// Per session: samples of each track, after checking that no segment border lost or doubled a tick.
    func contiguous() throws -> [Int64: [Int]] {
        var counts: [Int64: [Int]] = [:]
        var ends: [Int64: [Int64?]] = [:]
        for segment in try segments {
            let session = segment.info.id.session
            var count = counts[session] ?? segment.tracks.map { _ in 0 }
            var end = ends[session] ?? segment.tracks.map { _ in nil }
            for run in segment.fragments.flatMap(\.perTrack) {
                #expect(end[run.track] == nil || end[run.track] == run.baseDecodeTime)
                if end[run.track] == nil, run.track == 0, segment.info.id == SegmentID(session: 1, counter: 0) {
                    #expect(run.baseDecodeTime == 0)
                }
                end[run.track] = run.baseDecodeTime + run.duration
                count[run.track] += run.samples
            }
            counts[session] = count
            ends[session] = end
        }
        return counts
    }

    /// FFmpeg decodes every segment on its own without a complaint.
    func expectPlayable() throws {
        for path in try paths() {
            let result = Tool.run("ffmpeg", ["-v", "error", "-xerror", "-i", path, "-f", "null", "-"])
            #expect(result.status == 0 && result.errors.isEmpty, "\(path): \(result.errors)")
        }
    }
}
