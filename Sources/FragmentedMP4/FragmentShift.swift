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

    /// Length of the whole fragment, checksum box to `mdat`; nil when the bytes do not start one.
    package static func length(_ prefix: some Collection<UInt8>) -> Int64? {
        FragmentHeader(Array(prefix.prefix(Self.prefix))).map { Int64(Fragment.checksumBoxSize) + $0.payloadSize }
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
    /// `ticks` is each track's constant, by track from 0. A time before 0 becomes 0. With `only` other tracks' parts become
    /// `free`: the fragment is one of that track.
    package static func shift(_ head: inout [UInt8], by ticks: [Int64], only: Int? = nil) -> Bool {
        guard let places = places(head) else { return false }
        for place in places where only.map({ $0 != place.track }) ?? false { free(&head, at: place.type) }
        for place in places where ticks.indices.contains(place.track) {
            var reader = BoxReader(head[place.time..<place.time + 8])
            let (time, overflow) = Int64(clamping: reader.integer(UInt64.self))
                .addingReportingOverflow(ticks[place.track])
            let shifted = UInt64(clamping: overflow ? .max : time)
            for index in 0..<8 {
                head[place.time + index] = UInt8(truncatingIfNeeded: shifted >> UInt64(56 - 8 * index))
            }
        }
        free(&head, at: 4)
        return true
    }

    /// Makes an init part one of a single track, in place; false, and nothing changed, when it has no such track.
    package static func keep(only track: Int, inInitPart bytes: inout [UInt8]) -> Bool {
        var others: [Int] = []
        var isThere = false
        var boxes = BoxReader(bytes[...])
        while let movie = boxes.box() {
            guard movie.type == "moov" else { continue }
            for (header, parents) in [("tkhd", [movie.body]), ("trex", movie.body.children("mvex"))]
                as [(BoxType, [BoxReader])]
            {
                for parent in parents {
                    var parts = parent
                    while let part = parts.box() {
                        guard let number = Self.track(part, header) else { continue }
                        if number == track { isThere = true } else { others.append(part.body.rest.startIndex - 4) }
                    }
                }
            }
        }
        guard isThere else { return false }
        for place in others { free(&bytes, at: place) }
        return true
    }

    /// The track, from 0, that a `trak` or `trex` is about.
    private static func track(_ box: (type: BoxType, body: BoxReader), _ header: BoxType) -> Int? {
        switch (box.type, header) {
        case ("trak", "tkhd"):
            guard var header = box.body.child("tkhd") else { return nil }
            // Version 1 has longer times (ISO/IEC 14496-12 §8.3.2).
            header.skip(header.integer(UInt32.self) >> 24 == 1 ? 16 : 8)
            let number = Int(header.integer(UInt32.self)) - 1
            return header.overran ? nil : number
        case ("trex", "trex"):
            var header = box.body
            header.skip(4)
            let number = Int(header.integer(UInt32.self)) - 1
            return header.overran ? nil : number
        default: return nil
        }
    }

    private static func free(_ bytes: inout [UInt8], at type: Int) {
        bytes.replaceSubrange(type..<type + 4, with: "free".utf8)
    }

    /// Where each track's decode time, of the 64-bit kind that our encoder writes, and the type of its `traf` are in
    /// `head`.
    private static func places(_ head: [UInt8]) -> [(track: Int, time: Int, type: Int)]? {
        guard headLength(head) == head.count else { return nil }
        var boxes = BoxReader(head[(Fragment.checksumBoxSize + 8)...])
        var found: [(track: Int, time: Int, type: Int)] = []
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
            found.append((track, time.rest.startIndex, box.body.rest.startIndex - 4))
        }
        return found.isEmpty ? nil : found
    }
}
