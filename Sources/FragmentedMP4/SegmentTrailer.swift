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
}
