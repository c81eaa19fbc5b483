import Catalog
import ObjectStore
import Recording

/// What a store alone tells of one camera's footage.
struct StoreIndex: FootageIndex {
    private let footage: StoreFootage
    private let camera: Archive.Camera

    init(_ footage: StoreFootage, _ camera: Archive.Camera) {
        self.footage = footage
        self.camera = camera
    }

    func knownCameras() throws -> [CameraName] { [camera.name] }

    func segments(
        _ name: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentRow] {
        try page(from, to, after, limit, row)
    }

    func extents(
        _ name: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentExtent] {
        try page(from, to, after, limit) { entry, _, _ in
            SegmentExtent(place: entry.place, duration: entry.duration, state: entry.state, reason: entry.reason)
        }
    }

    /// A gap that a day's summary leaves open ends with the footage after it, unless a later day's tells when.
    func gaps(_ name: CameraName, from: WallTime?, to: WallTime?) throws -> [GapRow] {
        // Metadata counts milliseconds, everybody else microseconds.
        var gaps: [WallTime: GapRow] = [:]
        try eachDay(from: from, to: to) { _, day in
            let before = try inParallel(day.sessionStarts) { try footage.gapBefore($0) }
                .compactMap(\.self).map { GapRow(sequence: 0, session: 0, gap: $0) }
            for row in day.gaps + before {
                let start = row.gap.from.wholeMilliseconds
                if gaps[start]?.gap.to == nil { gaps[start] = row }
            }
            return true
        }
        return try gaps.values.map { row in
            var row = row
            if row.gap.to == nil { row.gap.to = try firstFootage(after: row.gap.from) }
            return row
        }
        .filter { $0.gap.from < (to ?? .latest) && ($0.gap.to ?? .latest) > (from ?? .earliest) }
        .sorted { $0.gap.from < $1.gap.from }
    }

    func firstKnown(_ name: CameraName) throws -> WallTime? {
        guard let first = try footage.days(of: camera.asset).first else { return nil }
        let day = try footage.day(camera.asset, first)
        return (day.entries.map(\.place.start) + day.gaps.map(\.gap.from)).min()
    }

    /// A whole day costs one look for any object; of one that the range cuts its segments are asked.
    func hasFootage(_ name: CameraName, from: WallTime, to: WallTime) throws -> Bool {
        for start in try days(from: from, to: to) {
            if from <= start, start + WallTime.dayLength <= to {
                if try footage.hasObjects(camera.asset, start) { return true }
            } else if try footage.day(camera.asset, start).entries.contains(where: {
                $0.state != .evicted && isWithin($0, from, to, nil)
            }) {
                return true
            }
        }
        return false
    }

    func footage(_ name: CameraName) throws -> (first: WallTime, last: WallTime)? {
        let days = try footage.days(of: camera.asset)
        // Months of summaries may be all that is left of what retention deleted.
        for batch in stride(from: 0, to: days.count, by: 16).map({ Array(days[$0..<min($0 + 16, days.count)]) }) {
            let hasObjects = try inParallel(batch) { try footage.hasObjects(camera.asset, $0) }
            for (start, _) in zip(batch, hasObjects).filter(\.1) {
                guard let first = try playable(start).map(\.place.start).min() else { continue }
                for end in days.reversed() {
                    if let last = try playable(end).map(\.end).max() { return (first, last) }
                }
            }
        }
        return nil
    }

    func eachFootage(
        _ name: CameraName, from: WallTime, to: WallTime, _ body: (SegmentID, WallTime, WallTime) -> Void
    ) throws {
        try eachDay(from: from, to: to) { _, day in
            for entry in day.entries where entry.state != .evicted && isWithin(entry, from, to, nil) {
                body(entry.place.id, entry.place.start, entry.end)
            }
            return true
        }
    }
}

extension StoreIndex {
    private func playable(_ day: WallTime) throws -> [StoredDay.Entry] {
        try footage.day(camera.asset, day).entries.filter { $0.state != .evicted }
    }

    /// Those whose segments can reach into the range.
    private func days(from: WallTime?, to: WallTime?) throws -> [WallTime] {
        let first = ((from ?? .earliest) - StoreFootage.lookBack).startOfDay
        return try footage.days(of: camera.asset).filter { $0 >= first && $0 < (to ?? .latest) }
    }

    /// Until `body` answers false; a few days are read ahead.
    private func eachDay(
        from: WallTime?, to: WallTime?, _ body: (WallTime, StoredDay) throws -> Bool
    ) throws {
        let days = try days(from: from, to: to)
        for batch in stride(from: 0, to: days.count, by: 4).map({ Array(days[$0..<min($0 + 4, days.count)]) }) {
            let read = try inParallel(batch) { try footage.day(camera.asset, $0) }
            for (start, day) in zip(batch, read) where try !body(start, day) { return }
        }
    }

    /// At most `limit` of what there is after `after`, each made of an entry, the start of its day and the day.
    private func page<Row>(
        _ from: WallTime?, _ to: WallTime?, _ after: SegmentPlace?, _ limit: Int,
        _ make: (StoredDay.Entry, WallTime, StoredDay) throws -> Row
    ) throws -> [Row] {
        var rows: [Row] = []
        try eachDay(from: max(from ?? .earliest, after?.start ?? .earliest), to: to) { start, day in
            let found = day.entries.lazy.filter { isWithin($0, from, to, after) }
            for entry in found.prefix(limit - rows.count) { rows.append(try make(entry, start, day)) }
            return rows.count < limit
        }
        return rows
    }

    private func isWithin(
        _ entry: StoredDay.Entry, _ from: WallTime?, _ to: WallTime?, _ after: SegmentPlace?
    ) -> Bool {
        entry.end > (from ?? .earliest) && entry.place.start < (to ?? .latest)
            && after.map { ($0.start, $0.id) < (entry.place.start, entry.place.id) } ?? true
    }

    private func firstFootage(after moment: WallTime) throws -> WallTime? {
        var found: WallTime?
        try eachDay(from: moment, to: nil) { _, day in
            found = day.entries.first { $0.place.start > moment }?.place.start
            return found == nil
        }
        return found
    }

    /// The whole row where the summary has it; else what is known without the bytes.
    private func row(_ entry: StoredDay.Entry, _ start: WallTime, _ day: StoredDay) throws -> SegmentRow {
        if entry.state == .verified, let line = entry.line, let generation = day.generation,
            var row = try footage.summary(camera.asset, start, generation: generation)?.line(line)?.segment
        {
            row.camera = camera.name
            return row
        }
        let key = ObjectKey(
            site: footage.site, asset: camera.asset, start: entry.place.start, counter: entry.place.id.counter)
        return SegmentRow(
            camera: camera.name, id: entry.place.id, key: key?.text ?? "", start: entry.place.start,
            duration: entry.duration, bytes: entry.bytes, state: entry.state, isLocal: false, isRead: false)
    }
}
