import Catalog
import Recording

/// What waits for its upload in one pass, in the order of `UploadSchedule`; each segment is handed out once.
///
/// The queue is the catalog: of each camera a few rows are held, whatever its backlog.
struct UploadQueue {
    private let catalog: Catalog
    private var cameras: [CameraQueue]
    private var schedule = UploadSchedule()
    /// What is not handed out with the others, so that it keeps none of them.
    private let isLast: @Sendable (CameraName, SegmentID) -> Bool
    private var last: [(camera: CameraName, id: SegmentID, selection: SegmentSelection)] = []
    /// The last call had nothing but what was to be spared.
    private(set) var isSparing = false

    init(
        _ cameras: [CameraQueue], in catalog: Catalog,
        last isLast: @escaping @Sendable (CameraName, SegmentID) -> Bool = { _, _ in false }
    ) {
        self.cameras = cameras
        self.isLast = isLast
        self.catalog = catalog
    }

    /// The next segment as it is now; nil when nothing waits any more.
    ///
    /// `isLiveOnly` leaves the backlog where it is; `entered` counts, for each camera, when to look for what closed since.
    /// Of the cameras in `spared` nothing is handed out, unless there is no other camera.
    mutating func next(
        isLiveOnly: Bool, _ entered: [CameraName: Int64], sparing spared: Set<CameraName> = []
    ) throws -> SegmentRow? {
        while let (camera, id, selection) = try take(isLiveOnly: isLiveOnly, entered, spared) {
            if isLast(camera, id) {
                last.append((camera, id, selection))
            } else if let row = try row(camera, id, selection) {
                return row
            }
        }
        return nil
    }

    /// The next of those that come after all others; nil when there is none any more.
    mutating func nextOfLast() throws -> SegmentRow? {
        while !last.isEmpty {
            let (camera, id, selection) = last.removeFirst()
            if let row = try row(camera, id, selection) { return row }
        }
        return nil
    }

    private mutating func take(
        isLiveOnly: Bool, _ entered: [CameraName: Int64], _ spared: Set<CameraName>
    ) throws -> (CameraName, SegmentID, SegmentSelection)? {
        while true {
            var offers: [UploadSchedule.Offer] = []
            for index in cameras.indices {
                try cameras[index].lookForNews(catalog, entered[cameras[index].camera, default: 0])
                offers += try cameras[index].offers(catalog)
            }
            if isLiveOnly { offers.removeAll { $0.lane == .backlog } }
            isSparing = !offers.isEmpty
            if cameras.count > 1 { offers.removeAll { spared.contains($0.camera) } }
            isSparing = isSparing && offers.isEmpty
            guard let chosen = schedule.choose(among: offers),
                let index = cameras.firstIndex(where: { $0.camera == chosen.camera })
            else { return nil }
            if let id = cameras[index].take(chosen.lane) { return (chosen.camera, id, cameras[index].selection) }
        }
    }

    private func row(_ camera: CameraName, _ id: SegmentID, _ selection: SegmentSelection) throws -> SegmentRow? {
        try catalog.segment(camera, id).flatMap { $0.waits(for: selection) ? $0 : nil }
    }
}

/// One camera's segments that wait: handed out from both ends, the oldest first and what closed lately from the newest
/// on, until they meet.
///
/// What closes meanwhile goes before both: a backlog holds up nothing that is fresh.
struct CameraQueue {
    /// Rows that are held of each end.
    private static let lookahead = 16

    let camera: CameraName
    let selection: SegmentSelection
    /// What ended since belongs to the live lane; nil when the camera has no such lane.
    let liveSince: WallTime?
    /// How long the cache has room if nothing is uploaded; nil for as long as it likes.
    let deadline: TimeSpan?
    private var oldest = Page()
    private var newest = Page()
    /// What came since, not handed out yet, the newest first.
    private var arrived: [WaitingSegment] = []
    /// The last that waited when the queue was made, and the last of all that was seen.
    private var last: SegmentID?
    private var top: SegmentID?
    /// The count of the last look for news; nil before the first, and of a queue without a live lane.
    private var looked: Int64?

    /// One end: what was read of it and not handed out yet, without holes, and the last that was handed out.
    private struct Page {
        var rows: [WaitingSegment] = []
        var passed: SegmentID?
        var isLast = false

        mutating func take() -> SegmentID? {
            guard !rows.isEmpty else { return nil }
            let taken = rows.removeFirst().id
            passed = taken
            return taken
        }
    }

    init(camera: CameraName, selection: SegmentSelection, liveSince: WallTime?, deadline: TimeSpan?) {
        self.camera = camera
        self.selection = selection
        self.liveSince = liveSince
        self.deadline = deadline
        newest.isLast = liveSince == nil
    }

    /// Looks, when `entered` is another count than before, for what has closed since.
    mutating func lookForNews(_ catalog: Catalog, _ entered: Int64) throws {
        guard liveSince != nil, looked != entered else { return }
        let page = try catalog.newestWaiting(camera, selection, before: nil, limit: Self.lookahead)
        let seen = top
        if let first = page.first?.id { top = top.map { max($0, first) } ?? first }
        if looked == nil {
            last = top
        } else {
            arrived = page.prefix { segment in isLive(segment) && (seen.map { $0 < segment.id } ?? true) } + arrived
        }
        looked = entered
    }

    /// At most one of each lane.
    mutating func offers(_ catalog: Catalog) throws -> [UploadSchedule.Offer] {
        try refill(catalog)
        let live = arrived.first ?? newest.rows.first ?? oldest.rows.first.flatMap { isLive($0) ? $0 : nil }
        let late = oldest.rows.first.flatMap { isLive($0) ? nil : $0 }
        return [live.map { offer($0, .live) }, late.map { offer($0, .backlog) }].compactMap(\.self)
    }

    /// Hands out what was offered of a lane.
    mutating func take(_ lane: UploadSchedule.Lane) -> SegmentID? {
        if lane == .live, !arrived.isEmpty { return arrived.removeFirst().id }
        if lane == .live, let taken = newest.take() {
            oldest.rows.removeAll { $0.id >= taken }
            return taken
        }
        guard let taken = oldest.take() else { return nil }
        newest.rows.removeAll { $0.id <= taken }
        return taken
    }

    private mutating func refill(_ catalog: Catalog) throws {
        if newest.rows.isEmpty, !newest.isLast {
            let page = try catalog.newestWaiting(camera, selection, before: newest.passed, limit: Self.lookahead)
            // Up to the first that is not fresh: what is older is reached from the other end.
            newest.rows = Array(page.drop { !isFirst($0) }.prefix { segment in isLive(segment) && isBetween(segment) })
            newest.isLast = newest.rows.count < Self.lookahead
        }
        if oldest.rows.isEmpty, !oldest.isLast {
            let page = try catalog.waiting(camera, selection, after: oldest.passed, limit: Self.lookahead)
            oldest.rows = Array(page.prefix { segment in isFirst(segment) && isBetween(segment) })
            oldest.isLast = oldest.rows.count < Self.lookahead
        }
    }

    /// The two ends have not met yet.
    private func isBetween(_ segment: WaitingSegment) -> Bool {
        (oldest.passed.map { $0 < segment.id } ?? true) && (newest.passed.map { segment.id < $0 } ?? true)
    }

    /// It waited when the queue was made.
    private func isFirst(_ segment: WaitingSegment) -> Bool {
        looked == nil || (last.map { segment.id <= $0 } ?? false)
    }

    private func isLive(_ segment: WaitingSegment) -> Bool { liveSince.map { segment.end >= $0 } ?? false }

    private func offer(_ segment: WaitingSegment, _ lane: UploadSchedule.Lane) -> UploadSchedule.Offer {
        UploadSchedule.Offer(camera: camera, lane: lane, bytes: segment.bytes, end: segment.end, deadline: deadline)
    }
}

extension SegmentRow {
    /// What the queue read of it is still so: it may have been given up, or have gone, meanwhile.
    fileprivate func waits(for selection: SegmentSelection) -> Bool {
        guard state == .closed || state == .uploaded else { return false }
        return switch selection {
        case .pending: isLocal && isRead
        case .fresh: isLocal && isRead && !isUncertain
        case .unsettled: !isLocal && isUncertain
        case .evictable, .filed, .unverified, .droppable, .leftInStore: false
        }
    }
}
