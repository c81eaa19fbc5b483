package import Recording

/// The catalog's compact form of a segment's fragments: two signed LEB128 numbers each.
///
/// The first is the distance from the previous fragment times two, plus one for a key; the second the decode time's
/// distance. Thirty fragments fit into some 200 bytes, so that a million rows stay small.
enum FragmentTable {
    static func encode(_ fragments: [MediaIndex.Fragment]) -> [UInt8] {
        var bytes: [UInt8] = []
        var previous = MediaIndex.Fragment(offset: 0, isKey: false, decodeTime: 0)
        for fragment in fragments {
            append((fragment.offset &- previous.offset) &* 2 &+ (fragment.isKey ? 1 : 0), to: &bytes)
            append(fragment.decodeTime &- previous.decodeTime, to: &bytes)
            previous = fragment
        }
        return bytes
    }

    /// Nil for bytes that `encode` did not make.
    static func decode(_ bytes: [UInt8]) -> [MediaIndex.Fragment]? {
        var fragments: [MediaIndex.Fragment] = []
        var rest = bytes[...]
        var offset: Int64 = 0
        var time: Int64 = 0
        while !rest.isEmpty {
            guard let step = next(&rest), let advance = next(&rest) else { return nil }
            offset = offset &+ (step >> 1)
            time = time &+ advance
            fragments.append(MediaIndex.Fragment(offset: offset, isKey: step & 1 == 1, decodeTime: time))
        }
        return fragments
    }

    private static func append(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = value
        while true {
            let low = UInt8(truncatingIfNeeded: rest & 0x7F)
            rest >>= 7
            let isLast = (rest == 0 && low & 0x40 == 0) || (rest == -1 && low & 0x40 != 0)
            bytes.append(isLast ? low : low | 0x80)
            if isLast { return }
        }
    }

    private static func next(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for shift in stride(from: Int64(0), through: 63, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= Int64(byte & 0x7F) << shift
            if byte & 0x80 == 0 {
                if byte & 0x40 != 0, shift + 7 < 64 { value |= -1 << (shift + 7) }
                return value
            }
        }
        return nil
    }
}

extension MediaIndex {
    /// The fragments in some seven bytes each, for whoever keeps many.
    package var packedFragments: [UInt8] { FragmentTable.encode(fragments) }

    /// Nil for bytes that are not packed fragments.
    package static func unpack(_ bytes: [UInt8]) -> [Fragment]? { FragmentTable.decode(bytes) }
}
