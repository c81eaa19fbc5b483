import Catalog
import Recording
import SegmentStore

extension Survey {
    /// Of one look; the next survey enters the others.
    private static let mostNews = 64

    /// Enters what has closed since the last survey, without a walk through the cache; true when there was something.
    ///
    /// Goes by the journal, whose record of a closed segment is written after its file has the final name. A first
    /// survey comes before it, and what a record and its file do not agree about is left to the next one.
    package func enterNews() throws -> Bool {
        guard try work.catalog.note(surveyed) != nil, try CacheIdentity.check(camera, work.settings) else {
            return false
        }
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        return try enterClosed(JournalFold(work: work, camera: camera, cache: cache, isDoubted: false), in: cache)
    }

    /// Folds the journal on, and enters what it says has closed; true when there was something.
    @discardableResult
    func enterClosed(_ fold: JournalFold, in cache: CacheDirectory) throws -> Bool {
        var closed: [SegmentID] = []
        try fold.run { id in
            if closed.count == Self.mostNews { closed.removeFirst() }
            closed.append(id)
        }
        guard !closed.isEmpty, let row = try work.catalog.camera(camera) else { return false }
        let found = try closed.compactMap { try news($0, of: row, in: cache) }
        try work.catalog.enter(found)
        return !found.isEmpty
    }

    /// Its row, if only the journal spoke for it until now.
    private func news(_ id: SegmentID, of row: CameraRow, in cache: CacheDirectory) throws -> SegmentRow? {
        let known = try work.catalog.segment(camera, id)
        guard let known, known.state == .closed, !known.isRead else { return nil }
        do { return try read(work.fileName(known), row, known, cache) } catch is SegmentStoreError {
            return nil  // The next survey meets it too, and says so.
        }
    }
}
