import Catalog
package import Recording
package import SegmentStore

/// The segment that a camera's worker appends to, as far as it goes now.
package struct LiveSegment: Sendable {
    /// Its media up to the last whole fragment: readable by `Archive.read`, also when the segment has closed since.
    package let row: SegmentRow
    /// Below the camera's cache.
    package let name: SegmentFileName
    /// While it grows.
    package let path: String
}

extension Archive {
    /// A worker syncs at least every 4 s, and a picture a minute is still a recording.
    private static let silence = TimeSpan.seconds(90)

    /// As of the call; nil where nothing is recorded, or not on this box.
    package func growing(_ camera: Camera) throws -> LiveSegment? {
        guard let box, let row = try box.growing(camera, now: now()), !row.media.fragments.isEmpty else { return nil }
        let name = SegmentFileName(start: row.start, id: row.id, stage: .partial)
        return LiveSegment(row: row, name: name, path: "\(box.cachePath)/\(camera.name)/\(name.relativePath)")
    }

    /// Whether footage is still being added, or was within `patience`.
    package func isLive(_ camera: Camera, within patience: TimeSpan = .zero) throws -> Bool {
        if let row = try growing(camera)?.row { return now() - row.end < max(Self.silence, patience) }
        guard let last = try firstAndLast(camera)?.last else { return false }
        // Of another box only what it has uploaded is known: two of its longest usual periods.
        return now() - last < max(box == nil ? .seconds(600) : Self.silence, patience)
    }
}

extension Archive {
    /// Whether footage may be added again any moment: this box is to record the camera, and did within ten minutes.
    package func isAwaited(_ camera: Camera) throws -> Bool {
        try box?.configured.contains(camera) ?? false && isLive(camera, within: .seconds(600))
    }
}

extension BoxFootage {
    func growing(_ camera: Archive.Camera, now: WallTime) throws -> SegmentRow? {
        let tail = tail(camera)
        let row = try growing(tail, now)
        return isPart(camera) ? row.flatMap { $0.isIn(camera.asset) ? $0 : nil } : row
    }

    private func growing(_ tail: CacheTail, _ now: WallTime) throws -> SegmentRow? {
        if let current = catalog.current() {
            do { return try tail.growing(current, now: now) } catch let error as CatalogError {
                catalog.passOver(error)
            }
        }
        return try tail.growing(try tail.index(now: now).index, now: now)
    }
}
