/// Moves a fragment on its media time line, in place: no byte is added or taken away, so that offsets and lengths stay.
///
/// Every `tfdt` grows by one constant per track; the checksum box, which would not hold any more, becomes `free`
/// (ISO/IEC 14496-12 §8.1.2, §8.8.12). Bytes are hostile (I9).
package enum FragmentShift {
    /// How many of a fragment's first bytes tell how long its head is.
    package static let prefix = FragmentHeader.size

    /// Length of the checksum box and the `moof`; nil when the bytes do not start a fragment.
    package static func headLength(_ prefix: some Collection<UInt8>) -> Int? {
        FragmentHeader(Array(prefix.prefix(Self.prefix))).map { Fragment.checksumBoxSize + Int(clamping: $0.moofSize) }
    }

    /// The decode time of each track that has samples in the fragment, by track from 0; nil when `head`, as long as
    /// `headLength` says, is none.
    package static func decodeTimes(_ head: [UInt8]) -> [Int: Int64]? {
        var times: [Int: Int64] = [:]
        guard let places = places(head) else { return nil }
        for place in places {
            var reader = BoxReader(head[place.time..<place.time + 8])
            times[place.track] = Int64(clamping: reader.integer(UInt64.self))
        }
        return times
    }

    /// Shifts the fragment whose checksum box and `moof` are `head`; false, and nothing changed, when it is none.
    ///
    /// `ticks` is each track's constant, by track from 0. A time before 0 becomes 0.
    package static func shift(_ head: inout [UInt8], by ticks: [Int64]) -> Bool {
        guard let places = places(head) else { return false }
        for place in places where ticks.indices.contains(place.track) {
            var reader = BoxReader(head[place.time..<place.time + 8])
            let (time, overflow) = Int64(clamping: reader.integer(UInt64.self))
                .addingReportingOverflow(ticks[place.track])
            let shifted = UInt64(clamping: overflow ? .max : time)
            for index in 0..<8 {
                head[place.time + index] = UInt8(truncatingIfNeeded: shifted >> UInt64(56 - 8 * index))
            }
        }
        head.replaceSubrange(4..<8, with: "free".utf8)
        return true
    }

    /// Where each track's decode time is in `head`: of the 64-bit kind that our encoder writes.
    private static func places(_ head: [UInt8]) -> [(track: Int, time: Int)]? {
        guard headLength(head) == head.count else { return nil }
        var boxes = BoxReader(head[(Fragment.checksumBoxSize + 8)...])
        var found: [(track: Int, time: Int)] = []
        while let box = boxes.box() {
            guard box.type == "traf" else { continue }
            guard found.count < MovieBox.trackLimit, var header = box.body.child("tfhd"),
                var time = box.body.child("tfdt")
            else { return nil }
            header.skip(4)
            let track = Int(header.integer(UInt32.self)) - 1
            guard time.integer() == UInt32(1) << 24, time.rest.count == 8, !header.overran, track >= 0 else {
                return nil
            }
            found.append((track, time.rest.startIndex))
        }
        return found.isEmpty ? nil : found
    }
}
