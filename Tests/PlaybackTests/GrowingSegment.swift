import Foundation
import FragmentedMP4
import Recording
import SegmentStore
import Synchronization
import TestSupport

/// A worker's view of its cache: a segment that is appended to, fragment by fragment.
final class GrowingSegment: Sendable {
    private let site: RecordedSite
    private let camera: String
    private let clip: EncodedClip
    private let name: SegmentFileName
    private let encoder: Mutex<SegmentEncoder>
    private let file: FileHandle

    /// `second` is where in its session it starts.
    init(
        _ site: RecordedSite, _ clip: EncodedClip, camera: String = "front", session: Int64 = 1, counter: Int64,
        second: Int
    ) throws {
        (self.site, self.camera, self.clip) = (site, camera, clip)
        name = SegmentFileName(
            start: RecordedSite.start + .seconds(Int64(second)), id: SegmentID(session: session, counter: counter),
            stage: .partial)
        let encoder = try site.encoder(clip, try RecordedSite.name(camera), name.id, RecordedSite.start)
        self.encoder = Mutex(encoder)
        try site.write(encoder.initPart, name, camera)
        file = try FileHandle(forWritingTo: URL(filePath: site.path(name, camera)))
        try file.seekToEnd()
    }

    func append(second: Int) throws {
        try file.write(contentsOf: encoder.withLock { $0.fragment(clip.second(second)) })
    }

    func close() throws {
        try finish()
        try rename()
    }

    /// All of it is there; until that is synced it keeps its name.
    func finish() throws { try file.write(contentsOf: encoder.withLock { $0.trailer() }) }

    func rename() throws {
        try FileManager.default.moveItem(
            atPath: site.path(name, camera), toPath: site.path(name.with(stage: .closed), camera))
    }
}
