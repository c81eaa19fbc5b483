import Checksums
import Recording

/// `[uuid: checksum, length][moof][mdat]`: the unit of writing and of loss.
struct Fragment {
    /// 17aa4d1a-5e72-4533-b23e-209c5fe4a3bd: this system's fragment checksum box.
    fileprivate static let boxIdentity: [UInt8] = [
        0x17, 0xAA, 0x4D, 0x1A, 0x5E, 0x72, 0x45, 0x33, 0xB2, 0x3E, 0x20, 0x9C, 0x5F, 0xE4, 0xA3, 0xBD,
    ]
    static let checksumBoxSize = 32

    /// From 1 in each file.
    let sequence: UInt32
    /// In track order, none without samples.
    let runs: [TrackFragment]

    private var moofSize: Int { runs.reduce(24) { $0 + $1.boxSize } }

    /// With its checksum box; `samples` holds each run's in the same order.
    func bytes(samples: [[Sample]]) -> [UInt8] {
        var payload = BoxWriter()
        let dataSize = runs.reduce(0) { $0 + $1.dataSize }
        payload.reserve(Self.checksumBoxSize + moofSize + 8 + Int(dataSize))
        payload.zeros(Self.checksumBoxSize)
        payload.box("moof") { moof in
            moof.fullBox("mfhd") { $0.put(sequence) }
            var dataOffset = Int64(moofSize + 8)
            for run in runs {
                run.write(to: &moof, dataOffset: dataOffset)
                dataOffset += run.dataSize
            }
        }
        payload.box("mdat") { mdat in
            for sample in samples.joined() { mdat.put(sample.data) }
        }
        var checksum = BoxWriter()
        checksum.box("uuid") { box in
            box.put(Self.boxIdentity)
            let covered = payload.bytes.dropFirst(Self.checksumBoxSize)
            box.put(CRC32C(covered).value)
            box.put(UInt32(clamping: covered.count))
        }
        payload.replaceStart(with: checksum.bytes)
        return payload.bytes
    }

    /// Nil when the body of a `moof` in front of `dataSize` bytes of media is not one that `bytes` makes.
    init?(moof: BoxReader, dataSize: Int64) {
        guard var header = moof.child("mfhd") else { return nil }
        header.skip(4)
        sequence = header.integer()
        var dataOffset = Int64(moof.rest.count) + 16
        let end = dataOffset + dataSize
        var runs: [TrackFragment] = []
        for traf in moof.children("traf") {
            guard let run = TrackFragment(traf, dataOffset: dataOffset), run.track > runs.last?.track ?? -1 else {
                return nil
            }
            dataOffset += run.dataSize
            runs.append(run)
        }
        guard !runs.isEmpty, dataOffset == end else { return nil }
        self.runs = runs
    }

    init(sequence: UInt32, runs: [TrackFragment]) {
        self.sequence = sequence
        self.runs = runs
    }

    /// The first sync sample of the first track, for the trailer; `offset` is the fragment's in the file.
    func randomAccess(offset: Int64) -> RandomAccessPoint? {
        guard let run = runs.first, run.track == 0, let sync = run.firstSync else { return nil }
        return RandomAccessPoint(
            time: sync.time, moofOffset: offset + Int64(Self.checksumBoxSize), sample: sync.position)
    }
}

/// The first 40 bytes of a fragment: its checksum box and the header of its `moof`.
struct FragmentHeader {
    static let size = Fragment.checksumBoxSize + 8
    /// Far above a second of media; bounds what a reader holds.
    private static let moofLimit: Int64 = 16 << 20

    let checksum: UInt32
    /// Of `moof` and `mdat`.
    let payloadSize: Int64
    let moofSize: Int64

    /// Nil when the bytes do not start a fragment.
    init?(_ bytes: [UInt8]) {
        var reader = BoxReader(bytes[...])
        guard bytes.count == Self.size, var box = reader.box(), box.type == "uuid",
            box.body.take(16).elementsEqual(Fragment.boxIdentity)
        else { return nil }
        checksum = box.body.integer()
        payloadSize = Int64(box.body.integer(UInt32.self))
        moofSize = Int64(reader.integer(UInt32.self))
        guard !box.body.overran, box.body.rest.isEmpty, BoxType(code: reader.integer()) == "moof" else { return nil }
        guard (8...Self.moofLimit).contains(moofSize), payloadSize >= moofSize + 8 else { return nil }
    }
}
