import Catalog
import Footage
import Foundation
import FragmentedMP4
import ObjectStore
import Recording
import SegmentStore
import TestSupport

/// A box's caches and catalog as recording leaves them, in a folder that goes with its value.
final class RecordedSite: Sendable {
    static let start = WallTime(rfc3339: "2026-03-01T10:00:00Z") ?? .earliest

    let folder: String
    let catalog: Catalog
    let site: SiteName

    var cachePath: String { folder + "/cache" }
    var statePath: String { folder + "/state" }

    init(cameras: [String] = ["front"]) throws {
        folder = NSTemporaryDirectory() + "cvr-playback-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder + "/state/sync", withIntermediateDirectories: true)
        for camera in cameras {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/cache/\(camera)", withIntermediateDirectories: true)
        }
        catalog = try Catalog(path: folder + "/state/sync/catalog.sqlite")
        guard let site = SiteName("plant") else { throw Missed("a site's name") }
        self.site = site
    }

    // A leftover in /tmp fails no test.
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Each camera's asset is called `asset-NAME`.
    func archive(_ cameras: [String] = ["front"], now: WallTime = RecordedSite.start + .seconds(3600)) throws -> Archive
    {
        try archive(cameras) { now }
    }

    func archive(
        _ cameras: [String] = ["front"], store: FileStore? = nil, now: @escaping @Sendable () -> WallTime
    ) throws -> Archive {
        Archive(
            site: site, cachePath: cachePath, statePath: statePath, store: store,
            cameras: try cameras.map { Archive.Camera(name: try Self.name($0), asset: "asset-\($0)") }, now: now)
    }

    /// Brings what was recorded to a store in a folder, and out of the cache; the paths of the objects.
    func move(_ rows: [SegmentRow], to store: String) throws -> [String] {
        try rows.map { row in
            let path = "\(store)/\(row.key)"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            let file = SegmentFileName(start: row.start, id: row.id)
            try FileManager.default.moveItem(atPath: self.path(file, row.camera.text), toPath: path)
            var stored = row
            (stored.state, stored.isLocal) = (.verified, false)
            let session = SessionRow(
                session: row.id.session, anchor: Self.start, quality: .synchronised, codecs: row.media.codecs)
            try catalog.enterStored([StoredSegment(row: stored, session: session)], asset: "asset-\(row.camera)")
            return path
        }
    }

    /// Enters a gap that a journal told, of the session in which it began.
    func tell(_ gap: Gap, camera: String = "front", session: Int64 = 1) throws {
        let open = Gap(from: gap.from, to: nil, reason: gap.reason, detail: gap.detail)
        var facts = [Fact.gapOpened(GapRow(sequence: gap.from.microseconds, session: session, gap: open))]
        if let end = gap.to { facts.append(.gapClosed(to: end)) }
        let name = try Self.name(camera)
        try catalog.apply(facts, CameraRow(name: name, asset: "asset-\(camera)", retention: nil))
    }

    static func name(_ camera: String) throws -> CameraName {
        guard let name = CameraName(camera) else { throw Missed("a camera's name of '\(camera)'") }
        return name
    }

    /// Records a clip over and over, as closed segments of `length` seconds each, and enters them in the catalog.
    ///
    /// The session's media time 0 is `anchor`; `from` is where in it the first segment starts.
    @discardableResult
    func record(
        _ clip: EncodedClip, camera: String = "front", session: Int64 = 1, anchor: WallTime = RecordedSite.start,
        from: Int = 0, counter: Int64 = 0, segments: Int, length: Int
    ) throws -> [SegmentRow] {
        let name = try Self.name(camera)
        var rows: [SegmentRow] = []
        for index in 0..<segments {
            let second = from + index * length
            var encoder = try encoder(clip, name, SegmentID(session: session, counter: counter + Int64(index)), anchor)
            var bytes = encoder.initPart
            for part in second..<second + length { bytes += encoder.fragment(clip.second(part)) }
            bytes += encoder.trailer()
            let file = SegmentFileName(start: anchor + .seconds(Int64(second)), id: encoder.info.id)
            try write(bytes, file, camera)
            rows.append(try row(file, name, bytes: Int64(bytes.count)))
        }
        try catalog.enter(rows)
        return rows
    }

    /// Records seconds of a camera's clip as one session that begins `at` seconds after `start`, in segments of `length`
    /// seconds.
    func record(
        _ clip: String, session: Int64, at: Double, from: Double = 0, seconds: Double, camera: String = "front",
        length: Double = 4
    ) async throws {
        let name = try Self.name(camera)
        let footage = try await ClipFootage(clip, from: from, seconds: seconds)
        let segments = try footage.segments(
            name, session: session, anchor: Self.start + TimeSpan(seconds: at), length: length)
        let rows = try segments.enumerated().map { counter, segment in
            let id = SegmentID(session: session, counter: Int64(counter))
            let file = SegmentFileName(start: segment.start, id: id)
            try write(segment.bytes, file, camera)
            return try row(file, name, bytes: Int64(segment.bytes.count))
        }
        try catalog.enter(rows)
    }

    func encoder(
        _ clip: EncodedClip, _ camera: CameraName, _ id: SegmentID, _ anchor: WallTime
    ) throws -> SegmentEncoder {
        SegmentEncoder(
            tracks: clip.tracks, info: SegmentInfo(camera: camera, id: id, anchor: anchor, quality: .synchronised))
    }

    func path(_ file: SegmentFileName, _ camera: String) -> String { "\(cachePath)/\(camera)/\(file.relativePath)" }

    func write(_ bytes: [UInt8], _ file: SegmentFileName, _ camera: String) throws {
        let path = path(file, camera)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: path))
    }

    private func row(_ file: SegmentFileName, _ camera: CameraName, bytes: Int64) throws -> SegmentRow {
        let cache = try CacheDirectory(path: "\(cachePath)/\(camera)", camera: camera)
        let (scan, length) = try SegmentScan.local(file, in: cache, checkingEveryByte: true)
        guard
            let key = ObjectKey(
                site: site, asset: "asset-\(camera)", start: file.start, counter: file.id.counter)
        else { throw Missed("a key of \(file)") }
        var row = scan.row(camera, key: key.text, bytes: length, state: .closed, isLocal: true)
        row.checksum = scan.checksum
        return row
    }
}
