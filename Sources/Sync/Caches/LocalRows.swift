import Catalog
import Recording
import SegmentStore

/// Walks the rows that the catalog believes to be in a cache, a page at a time.
struct LocalRows {
    private let catalog: Catalog
    private let camera: CameraName
    private var page: ArraySlice<Catalog.CacheEntry> = []
    private var last: SegmentID?
    private var isAtEnd = false

    init(_ catalog: Catalog, _ camera: CameraName) {
        self.catalog = catalog
        self.camera = camera
    }

    /// Ids of the rows before `id`; all that are left for nil.
    mutating func skip(below id: SegmentID?) throws -> [SegmentID] {
        var skipped: [SegmentID] = []
        while let row = try peek(), id.map({ row.id < $0 }) ?? true {
            skipped.append(row.id)
            page.removeFirst()
        }
        return skipped
    }

    /// True when the next row is the file's and says all that it does.
    mutating func take(_ name: SegmentFileName) throws -> Bool {
        guard let row = try peek(), row.id == name.id else { return false }
        page.removeFirst()
        return row.isEntered && row.start.wholeMilliseconds == name.start
    }

    private mutating func peek() throws -> Catalog.CacheEntry? {
        if page.isEmpty, !isAtEnd {
            let next = try catalog.inCache(camera, after: last, limit: 1000)
            last = next.last?.id ?? last
            isAtEnd = next.isEmpty
            page = next[...]
        }
        return page.first
    }
}
