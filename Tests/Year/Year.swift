import Catalog
import Foundation
import FragmentedMP4
import Recording
import SegmentStore

/// A synthetic history: segments of 30 s with a fragment a second, verified; each day is a session, with a gap of 30 s
/// before it, and the camera falls silent within ten of its segments; the last two days are in the cache, too, as holes
/// but for the start of the last whole day.
struct Year {
    /// 2025-11-23T00:00:00Z.
    static let start = WallTime(microseconds: 1_763_856_000_000_000)
    static let day = TimeSpan.seconds(86_400)
    /// Of 30 s, without the first.
    static let segments: Int64 = 2879
    /// Silences a day, some three hundred a month.
    static let silences: Int64 = 10

    let folder: String
    let names: [CameraName]
    let days: Int64

    init(folder: String, cameras: Int64, days: Int64) throws {
        self.folder = folder
        self.days = days
        names = (0..<cameras).compactMap { CameraName("camera-\($0)") }
        for part in ["sync", "cache"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
    }

    /// Goes on where an earlier run was ended.
    func make() throws {
        let catalog = try Catalog(path: folder + "/sync/catalog.sqlite")
        let began = ContinuousClock.now
        for day in 0..<days {
            let note = "made \(day)"
            guard try catalog.note(note) == nil else { continue }
            for name in names { try catalog.enter((1...Self.segments).map { row(name, day, $0) }) }
            try catalog.boundWAL()
            try catalog.setNote(note, "\(names.count)")
        }
        for name in names { try catalog.save(CameraRow(name: name, asset: name.text, retention: nil)) }
        try enterGaps(catalog)
        try catalog.close()
        for name in names { try writeStart(of: name) }
        let rows = Int64(names.count) * days * Self.segments
        print("\(rows) rows, made in \((ContinuousClock.now - began) / .seconds(1)) s")
    }

    /// After all segments, so that a history that was made without gaps needs only these; a camera at a time.
    private func enterGaps(_ catalog: Catalog) throws {
        for name in names {
            let note = "gaps of \(name)"
            guard try catalog.note(note) == nil else { continue }
            try catalog.apply(
                (0..<days).flatMap { gaps($0) }, CameraRow(name: name, asset: name.text, retention: nil))
            try catalog.boundWAL()
            try catalog.setNote(note, "\(days)")
        }
    }

    /// As a journal tells them: before a day's session, and 4 s within segments that lie evenly over it.
    private func gaps(_ day: Int64) -> [Fact] {
        let start = Self.start + Self.day * day
        let silences = (0..<Self.silences).map { number in
            start + .seconds((number * 2 + 1) * Self.segments / (Self.silences * 2) * 30 + 10)
        }
        return ([start] + silences).enumerated().flatMap { number, from in
            let isBorder = number == 0
            let gap = Gap(from: from, to: nil, reason: isBorder ? .hostRestart : .networkLoss, detail: "made")
            let row = GapRow(
                sequence: day * (Self.silences + 1) + Int64(number) + 1, session: isBorder ? day : day + 1, gap: gap)
            return [Fact.gapOpened(row), .gapClosed(to: from + .seconds(isBorder ? 30 : 4))]
        }
    }

    /// The day whose first byte can be served.
    var lastWholeDay: WallTime { Self.start + Self.day * (days - 2) }

    /// Its first segment's file: an init part, and one real fragment where its row says.
    private func writeStart(of camera: CameraName) throws {
        let first = row(camera, days - 2, 1)
        let tone = StreamDescription(codec: .ulaw, clockRate: 8000, channels: 1, sampleRate: 8000, configuration: [])
        var encoder = SegmentEncoder(
            tracks: [try Track(stream: tone)],
            info: SegmentInfo(camera: camera, id: first.id, anchor: first.start, quality: .synchronised))
        let sample = Sample(
            track: 0, decodeTime: 30 * 8000, duration: 8000, isSync: true, data: [UInt8](repeating: 0, count: 8000))
        var bytes = Array(encoder.initPart.prefix(1400))
        bytes += [UInt8](repeating: 0, count: 1400 - bytes.count) + encoder.fragment([sample])
        let name = SegmentFileName(start: first.start, id: first.id)
        let path = "\(folder)/cache/\(camera)/\(name.relativePath)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: path))
    }

    private func row(_ camera: CameraName, _ day: Int64, _ index: Int64) -> SegmentRow {
        let start = Self.start + Self.day * day + .seconds(index * 30)
        let step = 250_000 + index % 97 * 1000
        let fragments = (0..<Int64(30)).map { second in
            MediaIndex.Fragment(
                offset: 1400 + second * step, isKey: second % 2 == 0, decodeTime: (index * 30 + second) * 90_000)
        }
        let media = MediaIndex(
            initLength: 1400, mediaEnd: 1400 + 30 * step, fragments: fragments,
            tracks: [
                MediaIndex.Track(codec: "h264", timescale: 90_000, baseDecodeTime: index * 30 * 90_000),
                MediaIndex.Track(codec: "aac", timescale: 48_000, baseDecodeTime: index * 30 * 48_000),
            ], frames: 750, codecs: "avc1.4d401f,mp4a.40.2", format: 0x1234_5678)
        let date = start.rfc3339
        let hour = "\(date.prefix(10))/\(date.dropFirst(11).prefix(2))"
        let name = "\(date.dropFirst(14).prefix(2))-\(date.dropFirst(17).prefix(6))Z.\(index).mp4"
        return SegmentRow(
            camera: camera, id: SegmentID(session: day + 1, counter: index), key: "plant/\(camera)/\(hour)/\(name)",
            start: start, duration: .seconds(30), bytes: media.mediaEnd + 500, media: media, checksum: 7,
            state: .verified, isLocal: day >= days - 2, isRead: true)
    }
}
