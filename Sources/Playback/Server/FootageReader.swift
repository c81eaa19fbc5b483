import Footage
import NIOCore
import Recording
import Timeline

/// The footage that a server serves, for those who may see it; what blocks is done on threads for that.
struct FootageReader: Sendable {
    let archive: Archive
    /// For rows, and for bytes of caches.
    let threads: BlockingThreads
    /// For bytes of the store: one that is slow keeps nobody from the caches.
    let storeThreads: BlockingThreads
    /// Of all answers.
    let memory: MemoryBudget
    /// For ranges longer than a day, while their rows are looked through.
    let scans: Turn
    let files = RecentFiles()
    let viewers = ViewerCount()

    /// Refuses with the same words a camera that is not there and one that is not this visitor's, unless they may see all.
    func camera(named name: String, for visitor: Visitor) async throws -> Archive.Camera {
        try await permitted(name, for: visitor) { try CameraName(name).flatMap { try archive.camera(named: $0) } }
    }

    func camera(ofAsset asset: String, for visitor: Visitor) async throws -> Archive.Camera {
        try await permitted(asset, for: visitor) { try archive.camera(ofAsset: asset) }
    }

    func rows(
        _ camera: Archive.Camera, from: WallTime, to: WallTime, byKey: Bool = false
    ) async throws -> [SegmentRow] {
        try await threads.run { try archive.rows(camera, from: from, to: to, byKey: byKey) }
    }

    /// All rows of a range that has some thousands, held by `share` as they come; blocks.
    func rows(
        _ camera: Archive.Camera, from: WallTime, to: WallTime, byKey: Bool, holding share: MemoryBudget.Share
    ) throws -> [SegmentRow] {
        var rows: [SegmentRow] = []
        var (weight, after): (Int, SegmentPlace?) = (0, nil)
        repeat {
            let page = try archive.page(camera, from: from, to: to, after: after, byKey: byKey, limit: 1000)
            weight += page.rows.reduce(0) { $0 + $1.weight }
            try share.hold(weight)
            rows += page.rows
            after = page.next
        } while after != nil
        return rows
    }

    /// The next block of what `bytes` serves, on threads that `map` asks for; nil at its end.
    func block(_ bytes: inout ServedBytes, of map: ByteMap) async throws -> ByteBuffer? {
        let next = bytes
        let result = try await threads(for: map).run { () throws -> (bytes: ServedBytes, block: ByteBuffer?) in
            var next = next
            let block = try next.next { try archive.read($0, at: $1, count: $2) }
            return (next, block.map { ByteBuffer(bytes: $0) })
        }
        bytes = result.bytes
        return result.block
    }

    func threads(for map: ByteMap) -> BlockingThreads { map.pieces.allSatisfy(\.row.isLocal) ? threads : storeThreads }

    /// A block of the store is a request: the fewer ask for them, the larger they are.
    func blockSize(for map: ByteMap) -> Int {
        guard !map.pieces.allSatisfy(\.row.isLocal) else { return FootageFile.blockSize }
        // Who was let in may not have begun to read.
        let answers = max(1, viewers.now, memory.now / FootageBytes.weight)
        return min(Self.largestBlock, max(FootageFile.blockSize, Self.storeBlocks / answers))
    }

    private static let largestBlock = 1 << 20
    /// Of all that are sent footage of the store, in bytes.
    private static let storeBlocks = 64 << 20

    /// What requests ask about one camera's footage, as if there were none outside `window`; each blocks.
    func questions(_ camera: Archive.Camera, within window: Range<WallTime> = .always) -> FootageQuestions {
        FootageQuestions(
            firstAndLast: {
                guard let (first, last) = try archive.firstAndLast(camera) else { return nil }
                let known = window.clamped(from: first, to: last)
                return known.isEmpty ? nil : (known.lowerBound, known.upperBound)
            },
            hasFootage: { from, to in
                let part = window.clamped(from: from, to: to)
                return try !part.isEmpty && archive.hasFootage(camera, from: part.lowerBound, to: part.upperBound)
            },
            spans: { from, to in
                let part = window.clamped(from: from, to: to)
                return try part.isEmpty ? [] : archive.spans(camera, from: part.lowerBound, to: part.upperBound)
            })
    }

    private func permitted(
        _ name: String, for visitor: Visitor, _ find: @Sendable () throws -> Archive.Camera?
    ) async throws -> Archive.Camera {
        guard let camera = try await threads.run(find) else {
            throw visitor.cameras == .all ? Refusal.noCamera(name) : Refusal.forbidden
        }
        guard visitor.maySee(camera: camera.name, asset: camera.asset) else { throw Refusal.forbidden }
        return camera
    }
}

extension SegmentRow {
    /// What it takes in memory, in bytes, with what a manifest makes of it.
    fileprivate var weight: Int {
        let parts = media.fragments.count * MemoryLayout<MediaIndex.Fragment>.stride
        let tracks = media.tracks.count * MemoryLayout<MediaIndex.Track>.stride
        return 2 * MemoryLayout<SegmentRow>.stride + parts + tracks + key.utf8.count + media.codecs.utf8.count + 160
    }
}

extension Visitor {
    /// Bounds within what this visitor may see: those asked for, else its own; refuses what is not.
    func bounds(from: WallTime?, to: WallTime?) throws -> (from: WallTime?, to: WallTime?) {
        guard from ?? window.lowerBound >= window.lowerBound, to ?? window.upperBound <= window.upperBound else {
            throw Refusal.outsideWindow(window)
        }
        return (
            from ?? (window.lowerBound == .earliest ? nil : window.lowerBound),
            to ?? (window.upperBound == .latest ? nil : window.upperBound)
        )
    }

    /// What of a range this visitor may see; refuses when that is nothing.
    func part(from: WallTime?, to: WallTime?) throws -> (from: WallTime?, to: WallTime?) {
        let first = max(from ?? .earliest, window.lowerBound)
        let last = min(to ?? .latest, window.upperBound)
        guard first < last else { throw Refusal.outsideWindow(window) }
        return (first == .earliest ? nil : first, last == .latest ? nil : last)
    }
}
