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

    /// Refuses with the same words a camera that is not there and one that is not this visitor's, unless they may see all.
    func camera(named name: String, for visitor: Visitor) async throws -> Archive.Camera {
        try await permitted(name, for: visitor) { try archive.camera(named: name) }
    }

    func camera(ofAsset asset: String, for visitor: Visitor) async throws -> Archive.Camera {
        try await permitted(asset, for: visitor) { try archive.camera(ofAsset: asset) }
    }

    func rows(_ camera: CameraName, from: WallTime, to: WallTime) async throws -> [SegmentRow] {
        try await threads.run { try archive.rows(camera, from: from, to: to) }
    }

    /// The next bytes of a slice as they are served, from `position` in the segment's file; never none.
    func block(_ map: ByteMap, _ slice: ByteMap.Slice, at position: Int64) async throws -> ByteBuffer {
        guard let piece = map.pieces.indices.contains(slice.piece ?? 0) ? map.pieces[slice.piece ?? 0] : nil else {
            throw Refusal.gone
        }
        let bytes = SegmentBytes(row: piece.row, ticks: piece.ticks)
        return try await (piece.row.isLocal ? threads : storeThreads).run {
            ByteBuffer(
                bytes: try bytes.block(at: position, until: slice.bytes.upperBound) {
                    try archive.read(piece.row, at: $0, count: $1)
                })
        }
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

extension Visitor {
    /// Bounds within what this visitor may see: those asked for, else its own.
    func bounds(from: WallTime?, to: WallTime?) throws -> (from: WallTime?, to: WallTime?) {
        guard from ?? window.lowerBound >= window.lowerBound, to ?? window.upperBound <= window.upperBound else {
            throw Refusal.outsideWindow(window)
        }
        return (
            from ?? (window.lowerBound == .earliest ? nil : window.lowerBound),
            to ?? (window.upperBound == .latest ? nil : window.upperBound)
        )
    }
}
