import Catalog
import Checksums
import Footage
import Foundation
import ObjectStore
package import Recording

/// Makes a day's summary of what the catalog knows.
package struct SummaryWriter {
    /// It does not fit into a document, however brief.
    package struct TooLong: Error {}

    /// How much it tells of a segment.
    private enum Form: CaseIterable {
        case whole
        /// Without what playback needs of the media: a rebuild reads that from the object.
        case brief
    }

    private static let page = 500

    let work: Workspace
    let camera: CameraName
    /// Its first moment.
    let day: WallTime
    /// Whose summary it is; nil for that of the asset that tells all but activations.
    let asset: String?
    /// In bytes: a longer one nobody reads.
    let limit: Int

    package init(
        work: Workspace, camera: CameraName, day: WallTime, asset: String? = nil, limit: Int = StoredDocument.limit
    ) {
        self.work = work
        self.camera = camera
        self.day = day
        self.asset = asset
        self.limit = limit
    }

    /// The same bytes for the same facts; nil when there is nothing to tell.
    ///
    /// `asset` is where the day's footage lies. Throws `TooLong` for a day that is too long even in brief.
    package func compose(generation: Int64, written: WallTime) throws -> (bytes: [UInt8], asset: String)? {
        for form in Form.allCases {
            do {
                var (bytes, length) = ([UInt8](), 0)
                // Measured first: an array that grows by itself takes twice the memory.
                _ = try write(form, generation, written) { line in
                    length += line.count
                    guard length <= limit else { throw TooLong() }
                }
                bytes.reserveCapacity(length)
                let asset = try write(form, generation, written) { line in
                    guard bytes.count + line.count <= limit else { throw TooLong() }
                    bytes += line
                }
                return asset.map { (bytes, $0) }
            } catch is TooLong {}
        }
        throw TooLong()
    }

    /// Whether `compose` would make the same bytes of what the catalog knows now.
    func wouldWrite(_ summary: Summary) throws -> Bool {
        for form in Form.allCases {
            var rest = summary.bytes[...]
            do {
                _ = try write(form, summary.generation, summary.written) { line in
                    guard rest.starts(with: line) else { throw Differs() }
                    rest = rest.dropFirst(line.count)
                }
                return rest.isEmpty
            } catch is Differs {}
        }
        return false
    }

    private struct Differs: Error {}

    /// Line by line; returns where the day's footage lies, nil when there is nothing to tell.
    private func write(
        _ form: Form, _ generation: Int64, _ written: WallTime, _ sink: ([UInt8]) throws -> Void
    ) throws -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var (checksum, count) = (CRC32C(), Int64(0))
        let assets = try DayAssets(work, camera, of: day)
        let own = asset ?? assets.rest
        func add(_ line: SummaryLine) throws {
            let text = Array(try encoder.encode(line)) + [UInt8(ascii: "\n")]
            checksum.update(text)
            count += 1
            try sink(text)
        }
        for row in try work.catalog.sessions(camera, of: day, in: assets.folders(of: own)) {
            try add(SummaryLine(row, generation, camera))
        }
        try eachSegment { row in
            guard assets.asset(of: row) == own else { return }
            let reason = row.state == .evicted ? try work.catalog.eviction(camera, row.id)?.reason : nil
            try add(SummaryLine(row, reason: reason, generation, isBrief: form == .brief))
        }
        for row in try work.catalog.gaps(camera, from: day, to: day + WallTime.dayLength)
        where try assets.asset(of: row) == own {
            try add(SummaryLine(row, in: day, generation, camera))
        }
        guard count > 0 else { return nil }
        try add(trailer(generation, written, count, checksum.hex))
        return own
    }

    private func eachSegment(_ body: (SegmentRow) throws -> Void) throws {
        var last: SegmentPlace?
        while true {
            let rows = try work.catalog.segments(camera, of: day, after: last, limit: Self.page)
            for row in rows { try body(row) }
            guard let end = rows.last?.place else { return }
            last = end
        }
    }

    private func trailer(_ generation: Int64, _ written: WallTime, _ lines: Int64, _ checksum: String) -> SummaryLine {
        var line = SummaryLine("summary", generation, camera)
        line.site = work.settings.site.text
        line.day = String(day.rfc3339.prefix(10))
        line.written = written.rfc3339Microseconds
        line.lines = lines
        line.checksum = checksum
        return line
    }
}
