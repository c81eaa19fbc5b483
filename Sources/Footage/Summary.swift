import Checksums
import Foundation
package import Recording

/// A camera's day as the store keeps it: one line of JSON for each segment, gap, eviction and deletion (design §4).
///
/// The day's ledger, which stays when its media are gone, and the fleet's catalog for whoever queries it. To a rebuild it
/// is a hint: what a damaged one says is not believed, and what it says of an object must agree with the listing. Its
/// lines are read one by one: tens of thousands are more in memory than their text.
package struct Summary {
    package let generation: Int64
    package let written: WallTime
    /// As it says itself.
    let camera: CameraName?
    /// All of it.
    package let bytes: [UInt8]
    /// Where the last line begins, which tells of the others.
    private let trailer: Int

    /// Nil for bytes that are not one whole summary.
    package init?(_ bytes: [UInt8]) {
        let end = bytes.last == UInt8(ascii: "\n") ? bytes.count - 1 : bytes.count
        let last = bytes[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard let trailer = SummaryLine(bytes[last..<end]), trailer.kind == "summary",
            trailer.checksum == CRC32C(bytes[..<last]).hex,
            let written = trailer.written.flatMap({ WallTime(rfc3339: $0) })
        else { return nil }
        generation = max(1, trailer.generation)
        self.written = written
        camera = CameraName(trailer.camera)
        self.bytes = bytes
        self.trailer = last
    }

    /// Every line but the last, and where it is: `line` reads it again.
    package func eachLine(_ body: (SummaryLine, Range<Int>) throws -> Void) rethrows {
        var start = 0
        while start < trailer {
            let end = bytes[start..<trailer].firstIndex(of: UInt8(ascii: "\n")) ?? trailer
            if let line = line(start..<end) { try body(line, start..<end) }
            start = end + 1
        }
    }

    /// Nil for one that a newer build wrote with members of other types.
    package func line(_ range: Range<Int>) -> SummaryLine? { SummaryLine(bytes[range]) }
}

extension SummaryLine {
    fileprivate init?(_ text: ArraySlice<UInt8>) {
        // What is torn or was edited by hand is as good as none: the objects say the same.
        guard let line = try? JSONDecoder().decode(SummaryLine.self, from: Data(text)) else { return nil }
        self = line
    }
}
