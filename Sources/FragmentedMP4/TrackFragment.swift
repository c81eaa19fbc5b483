import Recording

/// One track's samples in a fragment, as `traf` holds them (ISO/IEC 14496-12 §8.8.6 to §8.8.8, §8.8.12).
struct TrackFragment {
    struct Entry {
        var duration: UInt32
        var size: UInt32
        var isSync: Bool
        var compositionOffset: Int32
    }

    /// Index into the segment's tracks.
    let track: Int
    let baseDecodeTime: Int64
    let entries: [Entry]
    private let hasCompositionOffsets: Bool

    /// Latest decode time that a file holds: sums with it cannot overflow.
    private static let timeLimit = Int64(1) << 62
    /// `sample_depends_on` 2 (nothing), or 1 and `sample_is_non_sync_sample`: §8.8.3.1.
    private static let syncFlags: UInt32 = 0x0200_0000
    private static let otherFlags: UInt32 = 0x0101_0000

    /// Nil without samples.
    init?(track: Int, samples: [Sample]) {
        guard let first = samples.first else { return nil }
        self.track = track
        baseDecodeTime = min(max(first.decodeTime, 0), Self.timeLimit)
        entries = samples.map { sample in
            Entry(
                duration: UInt32(clamping: sample.duration), size: UInt32(clamping: sample.data.count),
                isSync: sample.isSync, compositionOffset: Int32(clamping: sample.compositionOffset))
        }
        hasCompositionOffsets = entries.contains { $0.compositionOffset != 0 }
    }

    var duration: Int64 { entries.reduce(0) { $0 + Int64($1.duration) } }

    var dataSize: Int64 { entries.reduce(0) { $0 + Int64($1.size) } }

    /// Bytes of its `traf`.
    var boxSize: Int { 64 + entries.count * (hasCompositionOffsets ? 16 : 12) }

    /// Presentation time and position, from 1, of the first sync sample.
    var firstSync: (time: Int64, position: Int)? {
        guard let index = entries.firstIndex(where: \.isSync) else { return nil }
        let decodeTime = entries.prefix(index).reduce(baseDecodeTime) { $0 + Int64($1.duration) }
        return (max(0, decodeTime + Int64(entries[index].compositionOffset)), index + 1)
    }

    /// `dataOffset` is from the start of the `moof`.
    func write(to box: inout BoxWriter, dataOffset: Int64) {
        box.box("traf") { traf in
            traf.fullBox("tfhd", flags: 0x2_0000) { $0.put(UInt32(clamping: track + 1)) }
            traf.fullBox("tfdt", version: 1) { $0.put(UInt64(clamping: baseDecodeTime)) }
            traf.fullBox("trun", version: 1, flags: hasCompositionOffsets ? 0xF01 : 0x701) { run in
                run.put(UInt32(clamping: entries.count))
                run.put(Int32(clamping: dataOffset))
                for entry in entries {
                    run.put(entry.duration)
                    run.put(entry.size)
                    run.put(entry.isSync ? Self.syncFlags : Self.otherFlags)
                    if hasCompositionOffsets { run.put(entry.compositionOffset) }
                }
            }
        }
    }

    /// Nil when the body of a `traf` is not one that `write` makes.
    init?(_ traf: BoxReader, dataOffset: Int64) {
        guard var header = traf.child("tfhd"), var time = traf.child("tfdt"), var run = traf.child("trun"),
            header.integer() == UInt32(0x2_0000), time.integer() == UInt32(1) << 24
        else { return nil }
        let flags = run.integer(UInt32.self)
        hasCompositionOffsets = flags == 0x100_0F01
        guard hasCompositionOffsets || flags == 0x100_0701 else { return nil }
        let count = Int(run.integer(UInt32.self))
        let offset = Int64(Int32(bitPattern: run.integer()))
        let (size, overflow) = count.multipliedReportingOverflow(by: hasCompositionOffsets ? 16 : 12)
        guard count > 0, !overflow, size == run.rest.count, offset == dataOffset else { return nil }
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            entries.append(
                Entry(
                    duration: run.integer(), size: run.integer(), isSync: run.integer(UInt32.self) & 0x1_0000 == 0,
                    compositionOffset: hasCompositionOffsets ? Int32(bitPattern: run.integer()) : 0))
        }
        self.entries = entries
        track = Int(header.integer(UInt32.self)) - 1
        baseDecodeTime = Int64(clamping: time.integer(UInt64.self))
        guard track >= 0, baseDecodeTime <= Self.timeLimit, !header.overran, !time.overran else { return nil }
    }
}
