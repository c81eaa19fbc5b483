import Recording

/// Text that is written fast: a day's manifest has a hundred thousand numbers.
struct ManifestText {
    private(set) var bytes: [UInt8] = []

    init(reserving count: Int) { bytes.reserveCapacity(count) }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func put(_ other: ManifestText) { bytes.append(contentsOf: other.bytes) }

    mutating func put(_ number: Int64) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        put(number.magnitude, width: 1)
    }

    /// Seconds with six decimals; nothing before 0.
    mutating func put(_ span: TimeSpan) {
        let microseconds = UInt64(max(0, span.microseconds))
        put(microseconds / 1_000_000, width: 1)
        bytes.append(UInt8(ascii: "."))
        put(microseconds % 1_000_000, width: 6)
    }

    private mutating func put(_ number: UInt64, width: Int) {
        let start = bytes.count
        var rest = number
        while rest > 0 || bytes.count - start < width {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }
}

/// The addresses of one segment's chunks, which are the same.
struct AddressCache {
    let base: String
    let suffix: String
    private var last: (id: SegmentID, shift: TimeSpan, track: Int?, url: String)?

    init(base: String, suffix: String) {
        self.base = base
        self.suffix = suffix
    }

    mutating func url(_ piece: borrowing Piece, only track: Int? = nil) -> String {
        if let last, last.id == piece.row.id, last.shift == piece.shift, last.track == track { return last.url }
        let url = base + MediaAddress(copy piece, only: track).path + suffix
        last = (piece.row.id, piece.shift, track, url)
        return url
    }
}
