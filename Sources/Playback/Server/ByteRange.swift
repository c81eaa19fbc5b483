import Recording

/// What of a representation a `Range` field asks for (RFC 9110 §14).
enum ByteRange: Hashable {
    case whole
    case part(Range<Int64>)
    /// Nothing of it exists: 416.
    case unsatisfiable

    /// `field` is the header's text, `length` the representation's.
    ///
    /// One that is malformed, of another unit or of several ranges is as if there were none (§14.2).
    init(_ field: String?, length: Int64) {
        guard let field, field.lowercased().hasPrefix("bytes=") else {
            self = .whole
            return
        }
        let ends = field.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            .map { $0.trimmingSpaces }
        guard ends.count == 2 else {
            self = .whole
            return
        }
        switch (Self.number(ends[0]), Self.number(ends[1])) {
        case (let first?, let last?) where first <= last: self = Self.part(first..<last.addingSaturated(1), length)
        case (let first?, nil) where ends[1].isEmpty: self = Self.part(first..<max(first, length), length)
        case (nil, let count?) where ends[0].isEmpty:
            self = count == 0 ? .unsatisfiable : Self.part(max(0, length - count)..<length, length)
        default: self = .whole
        }
    }

    /// Where a field begins that asks for all from there on: `bytes=N-`.
    static func start(_ field: String?) -> Int64? {
        guard let field, field.lowercased().hasPrefix("bytes="), field.hasSuffix("-") else { return nil }
        return number(field.dropFirst(6).dropLast())
    }

    private static func part(_ range: Range<Int64>, _ length: Int64) -> ByteRange {
        range.lowerBound < length ? .part(range.clamped(to: 0..<length)) : .unsatisfiable
    }

    /// Digits alone; what does not fit is as large as can be.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text) ?? .max
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var copy = drop { $0 == " " || $0 == "\t" }
        while copy.last == " " || copy.last == "\t" { copy.removeLast() }
        return copy
    }
}
