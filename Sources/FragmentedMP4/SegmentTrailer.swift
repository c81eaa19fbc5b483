/// Where decoding can start in the segment's first track.
package struct RandomAccessPoint: Hashable, Sendable {
    /// Presentation time in the track's timescale.
    package let time: Int64
    /// Of the `moof`, from the start of the file.
    package let moofOffset: Int64
    /// Position in its run, from 1.
    package let sample: Int
}

/// `mfra`, which closes a segment: one entry per fragment that can be entered (ISO/IEC 14496-12 §8.8.9 to §8.8.11).
enum SegmentTrailer {
    static func bytes(_ points: some Collection<RandomAccessPoint>) -> [UInt8] {
        var file = BoxWriter()
        file.box("mfra") { mfra in
            mfra.fullBox("tfra", version: 1) { table in
                table.put(UInt32(1))
                // One byte for the numbers of traf and trun, four for the sample's.
                table.put(UInt32(3))
                table.put(UInt32(clamping: points.count))
                for point in points {
                    table.put(UInt64(clamping: point.time))
                    table.put(UInt64(clamping: point.moofOffset))
                    table.put([1, 1])
                    table.put(UInt32(clamping: point.sample))
                }
            }
            let size = mfra.bytes.count + 16
            mfra.fullBox("mfro") { $0.put(UInt32(clamping: size)) }
        }
        return file.bytes
    }

    /// `mfro`, which ends with the length of the whole.
    static let end = 16

    /// The trailer of a file of `length` bytes; nil for one without.
    ///
    /// Its last `guess` bytes are read, and more only for a longer one.
    static func read(length: Int64, guess: Int, _ read: SegmentReader.Read) throws -> [UInt8]? {
        let count = Int(min(length, Int64(max(end, guess))))
        let last = try read(length - Int64(count), count)
        guard last.count == count, count >= end else { return nil }
        var box = BoxReader(last.suffix(end))
        guard box.integer() == UInt32(end), BoxType(code: box.integer()) == "mfro" else { return nil }
        box.skip(4)
        let size = Int(box.integer(UInt32.self))
        guard size > end, size <= min(Int(clamping: length), limit) else { return nil }
        return size <= count ? Array(last.suffix(size)) : try read(length - Int64(size), size)
    }

    /// A day of fragments of 1 s; bounds what a reader holds.
    private static let limit = 2 << 20

    /// The entries of a trailer; nil for bytes that `bytes` does not make.
    static func points(_ trailer: [UInt8]) -> [RandomAccessPoint]? {
        guard var table = BoxReader(trailer[...]).child("mfra")?.child("tfra") else { return nil }
        table.skip(12)
        var points: [RandomAccessPoint] = []
        for _ in 0..<min(table.integer(UInt32.self), UInt32(clamping: table.rest.count)) {
            let (time, offset) = (table.integer(UInt64.self), table.integer(UInt64.self))
            table.skip(2)
            let sample = Int(table.integer(UInt32.self))
            guard !table.overran else { return nil }
            points.append(
                RandomAccessPoint(time: Int64(clamping: time), moofOffset: Int64(clamping: offset), sample: sample))
        }
        return bytes(points) == trailer ? points : nil
    }
}
