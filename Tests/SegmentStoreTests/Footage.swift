import Foundation
import FragmentedMP4
import Recording
import SegmentStore
import Testing

/// A directory that goes when the test does.
final class TemporaryDirectory {
    let path: String

    init() throws {
        // Most tests are about order, not about a disk: thousands of syncs are quick in memory.
        let memory = URL(filePath: "/dev/shm")
        let isUsable = FileManager.default.isWritableFile(atPath: memory.path)
        let base = isUsable ? memory : FileManager.default.temporaryDirectory
        let url = base.appending(path: "cvr-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(filePath: "\(path)/\(name)"))) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    /// Every file below, without locks, and its bytes.
    func snapshot() throws -> [String: [UInt8]] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        var found: [String: [UInt8]] = [:]
        for name in names where !name.contains("lock.") {
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
            if !isDirectory.boolValue { found[name] = try bytes(name) }
        }
        return found
    }

    func copy() throws -> TemporaryDirectory {
        let copy = try TemporaryDirectory()
        try FileManager.default.removeItem(atPath: copy.path)
        try FileManager.default.copyItem(atPath: path, toPath: copy.path)
        return copy
    }
}

/// Real segments: one second of G.711 a fragment.
struct Footage {
    static let anchor = WallTime(microseconds: 1_795_427_280_123_456)
    static let camera = CameraName("front")
    static let secondsPerSegment = 3

    let id: SegmentID
    let start: WallTime
    var encoder: SegmentEncoder
    private var second: Int64

    init(session: Int64 = 1, counter: Int64 = 0, anchor: WallTime = Footage.anchor) throws {
        id = SegmentID(session: session, counter: counter)
        second = counter * Int64(Self.secondsPerSegment)
        start = anchor + .seconds(second)
        let stream = StreamDescription(codec: .alaw, clockRate: 8000, channels: 1, sampleRate: 8000)
        encoder = SegmentEncoder(
            tracks: [try Track(stream: stream, parameterSets: nil)],
            info: SegmentInfo(camera: try #require(Self.camera), id: id, anchor: anchor, quality: .synchronised))
    }

    var name: SegmentFileName { SegmentFileName(start: start, id: id) }

    mutating func fragment() -> [UInt8] {
        let samples = (0..<50).map { index in
            Sample(
                track: 0, decodeTime: second * 8000 + Int64(index) * 160, duration: 160, isSync: true,
                data: (0..<160).map { UInt8(truncatingIfNeeded: Int($0) * 7 + index + Int(id.counter)) })
        }
        second += 1
        return encoder.fragment(samples)
    }

    /// The bytes of a closed segment of `fragments` fragments.
    static func closed(session: Int64 = 1, counter: Int64 = 0, fragments: Int) throws -> [UInt8] {
        var footage = try Footage(session: session, counter: counter)
        var bytes = footage.encoder.initPart
        for _ in 0..<fragments { bytes += footage.fragment() }
        return bytes + footage.encoder.trailer()
    }
}

extension TemporaryDirectory {
    func cache() throws -> CacheDirectory { try CacheDirectory(path: path, camera: try #require(Footage.camera)) }

    func journal() throws -> Journal { try Journal(in: cache(), now: Footage.anchor) }

    func records() throws -> [JournalRecord] { try JournalReader.read(in: cache(), from: 0).records }

    func recover(predecessorEnd: GapReason? = nil, bootChanged: Bool = false) throws -> RecoveryReport {
        try Recovery.run(
            in: cache(), journal: journal(), now: Footage.anchor + .seconds(60), predecessorEnd: predecessorEnd,
            bootChanged: bootChanged)
    }

    func paths() throws -> [String] { try cache().listing().map(\.name.relativePath) }
}

extension SegmentAppender {
    /// Closes the segment and journals that, as a worker does.
    func close(
        trailer: [UInt8], duration: TimeSpan, journal: Journal, now: WallTime
    ) throws(SegmentStoreError) -> SegmentFileName {
        let name = try close(trailer: trailer)
        let bytes = length + Int64(trailer.count)
        try journal.append(.segmentClosed(name.id, start: name.start, duration: duration, bytes: bytes), at: now)
        return name
    }

    /// Opens the segment of `footage`.
    convenience init(_ footage: Footage, in cache: CacheDirectory, _ journal: Journal) throws(SegmentStoreError) {
        try self.init(
            in: cache, start: footage.start, id: footage.id, initPart: footage.encoder.initPart, journal: journal,
            now: footage.start)
    }
}
