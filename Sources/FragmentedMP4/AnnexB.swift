/// The byte stream format of H.264 Annex B and H.265 Annex B.
enum AnnexB {
    static let startCode: [UInt8] = [0, 0, 0, 1]

    /// Calls `body` with each NAL unit that has a byte, without start codes, leading garbage and trailing zeros.
    static func forEachUnit(in bytes: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
        var unitStart: Int?
        var searchStart = 0
        while true {
            let prefix = prefixOffset(in: bytes, from: searchStart)
            if let unitStart { emit(bytes[unitStart..<(prefix ?? bytes.count)], body) }
            guard let prefix else { return }
            unitStart = prefix + 3
            searchStart = prefix + 3
        }
    }

    private static func emit(_ unit: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) {
        guard let last = unit.lastIndex(where: { $0 != 0 }) else { return }
        body(unit[...last])
    }

    /// Offset of the next `00 00 01`.
    ///
    /// Looks at every third byte where it can: a byte above 1 is in no start code.
    private static func prefixOffset(in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBufferPointer { bytes in
            var index = start + 2
            while index < bytes.count {
                switch bytes[index] {
                case 0: index += 1
                case 1 where bytes[index - 1] == 0 && bytes[index - 2] == 0: return index - 2
                default: index += 3
                }
            }
            return nil
        }
    }
}

/// What a NAL unit's header says: H.264 table 7-1, H.265 table 7-1.
enum UnitKind {
    case videoParameterSet, sequenceParameterSet, pictureParameterSet
    case delimiter, randomAccess, other

    /// Nil for a unit too short for its header.
    init?(_ unit: ArraySlice<UInt8>, isH265: Bool) {
        guard let first = unit.first, !isH265 || unit.count >= 2 else { return nil }
        self = isH265 ? Self.h265(first >> 1 & 0x3F) : Self.h264(first & 0x1F)
    }

    private static func h264(_ type: UInt8) -> UnitKind {
        switch type {
        case 5: .randomAccess
        case 7: .sequenceParameterSet
        case 8: .pictureParameterSet
        case 9: .delimiter
        default: .other
        }
    }

    private static func h265(_ type: UInt8) -> UnitKind {
        switch type {
        case 16...23: .randomAccess
        case 32: .videoParameterSet
        case 33: .sequenceParameterSet
        case 34: .pictureParameterSet
        case 35: .delimiter
        default: .other
        }
    }
}
