import Foundation
import FragmentedMP4
import Recording
import SegmentStore
import Testing

/// A worker's part: real segments of G.711, one second a fragment, with a real journal.
final class Recorder {
    let cache: CacheDirectory
    let journal: Journal
    let clock: ManualClock
    private let camera: CameraName
    private var track: Track
    private(set) var session: Int64
    private var counter: Int64 = 0
    private var anchor: WallTime
    private var mediaTime: Int64 = 0
    private var gapBefore: Gap?
    /// What was left growing last.
    private var open: (() throws -> SegmentFileName)?

    init(cache path: String, camera: CameraName, clock: ManualClock) throws {
        if !FileManager.default.fileExists(atPath: path) {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let identity = "{\"uuid\": \"\(UUID())\", \"camera\": \"\(camera)\", \"version\": 1}\n"
            try Data(identity.utf8).write(to: URL(filePath: path + "/identity.json"))
        }
        cache = try CacheDirectory(path: path, camera: camera)
        journal = try Journal(in: cache, now: clock.now)
        self.camera = camera
        self.clock = clock
        track = try Track(stream: StreamDescription(codec: .alaw, clockRate: 8000, channels: 1, sampleRate: 8000))
        session = journal.state.lastSession
        anchor = clock.now
    }

    /// The next session begins where the clock stands, and ends the gap that is open.
    func start(asset: String = "", file: String = "") throws {
        session += 1
        counter = 0
        mediaTime = 0
        anchor = clock.now
        try journal.append(
            .sessionStart(
                session: session, anchor: anchor, quality: .synchronised, codecs: "alaw",
                names: SessionNames(asset: asset, file: file)),
            at: clock.now)
        gapBefore = journal.state.openGap.map { Gap(from: $0.from, to: anchor, reason: $0.reason, detail: "") }
        if gapBefore != nil { try journal.append(.gapClose(to: anchor), at: clock.now) }
    }

    func stop(_ reason: GapReason = .stopped) throws {
        try journal.append(.sessionEnd(session: session, end: clock.now, reason: reason), at: clock.now)
        try journal.append(.gapOpen(from: clock.now, reason: reason, detail: "told to"), at: clock.now)
    }

    /// Records a segment of this many seconds, which pass; left growing when it is not closed.
    ///
    /// A fragment lasts `fragmentSeconds`. `jump` is by how much its second fragment claims to be later than it is; each fragment has `fragmentBytes`.
    /// For `silence` seconds more the camera sends nothing after the first half.
    @discardableResult
    func record(
        seconds: Int = 2, closing: Bool = true, jump: Int64 = 0, fragmentBytes: Int = 8000,
        fragmentSeconds: Int = 1, silence: Int64 = 0
    ) throws -> SegmentFileName {
        let start = clock.now
        let id = SegmentID(session: session, counter: counter)
        let info = SegmentInfo(
            camera: camera, id: id, anchor: anchor, quality: .synchronised, gapBefore: counter == 0 ? gapBefore : nil)
        var encoder = SegmentEncoder(tracks: [track], info: info)
        let file = try SegmentAppender(
            in: cache, start: start, id: id, initPart: encoder.initPart, journal: journal, now: start)
        for second in stride(from: 0, to: seconds, by: fragmentSeconds) {
            if silence > 0, second == seconds / 2 { try fallSilent(silence) }
            let sample = Sample(
                track: 0, decodeTime: mediaTime + (second > 0 ? jump : 0), duration: 8000 * Int64(fragmentSeconds),
                compositionOffset: 0, isSync: true, data: noise(second, id, fragmentBytes))
            try file.append(encoder.fragment([sample]))
            mediaTime += 8000 * Int64(fragmentSeconds)
            clock.advance(.seconds(Int64(fragmentSeconds)))
        }
        let (trailer, end) = (encoder.trailer(), clock.now)
        let close = { [unowned self] in
            counter += 1
            let name = try file.close(trailer: trailer)
            let bytes = file.length + Int64(trailer.count)
            try journal.append(
                .segmentClosed(id, start: start, duration: .seconds(Int64(seconds) + silence), bytes: bytes), at: end)
            return name
        }
        guard !closing else { return try close() }
        open = close
        return file.name
    }

    /// Closes what was left growing.
    func close() throws {
        _ = try open?()
        open = nil
    }

    /// What follows has two channels.
    func changeFormat() throws {
        track = try Track(stream: StreamDescription(codec: .alaw, clockRate: 8000, channels: 2, sampleRate: 8000))
    }

    private func fallSilent(_ seconds: Int64) throws {
        try journal.append(.gapOpen(from: clock.now, reason: .networkLoss, detail: "silent"), at: clock.now)
        clock.advance(.seconds(seconds))
        mediaTime += 8000 * seconds
        try journal.append(.gapClose(to: clock.now), at: clock.now)
    }

    private func noise(_ second: Int, _ id: SegmentID, _ length: Int) -> [UInt8] {
        let noise = (0..<8000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ second &+ Int(id.counter) &* 3) }
        var media: [UInt8] = []
        while media.count < length { media += noise.prefix(length - media.count) }
        return media
    }
}
