import Catalog
import Checksums
import Foundation
import ObjectStore
import Recording

/// A camera's day as the store keeps it: one line of JSON for each segment, gap, eviction and deletion (design §4).
///
/// The day's ledger, which stays when its media are gone, and the fleet's catalog for whoever queries it. To a rebuild it
/// is a hint: what a damaged one says is not believed, and what it says of an object must agree with the listing.
struct Summary {
    let generation: Int64
    let written: WallTime
    let lines: [SummaryLine]

    /// Nil for bytes that are not one whole summary.
    init?(_ bytes: [UInt8]) {
        let end = bytes.last == UInt8(ascii: "\n") ? bytes.count - 1 : bytes.count
        let last = bytes[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let decoder = JSONDecoder()
        // What is torn or was edited by hand is as good as none: the objects say the same.
        guard let trailer = try? decoder.decode(SummaryLine.self, from: Data(bytes[last..<end])),
            trailer.kind == "summary", trailer.checksum == CRC32C(bytes[..<last]).hex,
            let written = trailer.written.flatMap({ WallTime(rfc3339: $0) })
        else { return nil }
        let rows = bytes[..<last].split(separator: UInt8(ascii: "\n"))
        // A line of a newer build may have members of other types.
        lines = rows.compactMap { try? decoder.decode(SummaryLine.self, from: Data($0)) }
        generation = max(1, trailer.generation)
        self.written = written
    }
}

/// Makes a day's summary of what the catalog knows.
struct SummaryWriter {
    private static let page = 500

    let work: Workspace
    let camera: CameraName
    /// Its first moment.
    let day: WallTime

    /// The same bytes for the same facts; nil when there is nothing to tell.
    ///
    /// `asset` is where the day's footage lies.
    func compose(generation: Int64, written: WallTime) throws -> (bytes: [UInt8], asset: String)? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var (bytes, count, asset) = ([UInt8](), Int64(0), String?.none)
        func add(_ line: SummaryLine) throws {
            bytes += try encoder.encode(line)
            bytes.append(UInt8(ascii: "\n"))
            count += 1
        }
        for row in try work.catalog.sessions(camera, of: day) { try add(SummaryLine(row, generation, camera)) }
        var last: SegmentPlace?
        while true {
            let rows = try work.catalog.segments(camera, of: day, after: last, limit: Self.page)
            for row in rows {
                let reason = row.state == .evicted ? try work.catalog.eviction(camera, row.id)?.reason : nil
                try add(SummaryLine(row, reason: reason, generation))
                asset = asset ?? ObjectKey(row.key)?.asset
            }
            guard let end = rows.last?.place else { break }
            last = end
        }
        for row in try work.catalog.gaps(camera, from: day, to: day + WallTime.dayLength) {
            try add(SummaryLine(row, in: day, generation, camera))
        }
        guard count > 0 else { return nil }
        bytes += try encoder.encode(trailer(generation, written, count, CRC32C(bytes).hex)) + [UInt8(ascii: "\n")]
        return (bytes, try asset ?? work.policy(camera).asset)
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
