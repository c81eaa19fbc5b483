import Checksums
import FragmentedMP4
import Recording
import TestSupport
import Testing

@Suite struct SegmentReaderTests {
    @Test("a whole file reads back as it was written")
    func whole() throws {
        let segment = try SampleSegment()
        let reader = try SegmentReader(segment.bytes)
        #expect(reader.info == segment.info)
        #expect(reader.tracks == segment.tracks)
        #expect(reader.initLength == Int64(segment.encoder.initPart.count))
        #expect(reader.fragments.map { Int($0.offset + $0.length) } == segment.ends)
        #expect(reader.mediaEnd == Int64(segment.ends[3]) && reader.isComplete)
        #expect(reader.fragments.map(\.startsWithKey) == [true, false, true, false])
        #expect(reader.fragments[2].randomAccess?.time == 5000)
        let runs = reader.fragments[1].perTrack
        #expect(runs.map(\.track) == [0, 1] && runs.map(\.samples) == [3, 3])
        #expect(runs.map(\.baseDecodeTime) == [3000, 3000] && runs.map(\.duration) == [3000, 3000])
        #expect(reader.frames == 12 && reader.duration == 12000)
        #expect(reader.trailer() == segment.encoder.trailer())
        #expect(reader.checksum == CRC32C(segment.bytes).value)
        #expect(try SegmentReader(segment.bytes, verifyChecksums: false).checksum == nil)
    }

    @Test("a file torn at any byte gives its whole fragments")
    func torn() throws {
        let segment = try SampleSegment()
        let whole = try SegmentReader(segment.bytes)
        let start = segment.encoder.initPart.count
        for length in 0..<segment.bytes.count {
            let torn = Array(segment.bytes.prefix(length))
            guard length >= start else {
                #expect(throws: MP4Error.self) { try SegmentReader(torn) }
                continue
            }
            for verify in [true, false] {
                let reader = try SegmentReader(torn, verifyChecksums: verify)
                let count = segment.ends.prefix { $0 <= length }.count
                #expect(reader.fragments == Array(whole.fragments.prefix(count)) && !reader.isComplete)
                #expect(reader.checksum == nil)
                #expect(reader.mediaEnd == Int64(count == 0 ? start : segment.ends[count - 1]))
            }
        }
    }

    @Test("zeros or noise behind the last whole fragment are not media", arguments: [true, false])
    func tails(zeros: Bool) throws {
        let segment = try SampleSegment()
        var random = SeededRandom(seed: 1)
        for end in segment.ends {
            for cut in 0..<40 {
                let tail = zeros ? [UInt8](repeating: 0, count: 5000) : random.bytes(5000)
                let reader = try SegmentReader(Array(segment.bytes.prefix(end - cut)) + tail)
                #expect(reader.mediaEnd == Int64(segment.ends.last { $0 <= end - cut } ?? Int(reader.initLength)))
                #expect(!reader.isComplete)
            }
        }
    }

    @Test("a fragment whose media was never written is the end")
    func zeroFilledMedia() throws {
        let segment = try SampleSegment(sampleSize: 2000)
        var bytes = segment.bytes
        bytes.replaceSubrange((segment.ends[2] - 3000)..<segment.ends[2], with: repeatElement(0, count: 3000))
        let reader = try SegmentReader(bytes)
        #expect(reader.fragments.count == 2 && reader.mediaEnd == Int64(segment.ends[1]) && !reader.isComplete)
    }

    @Test("one flipped bit ends the media where it is")
    func flips() throws {
        let segment = try SampleSegment()
        let whole = try SegmentReader(segment.bytes)
        for index in segment.bytes.indices {
            var bytes = segment.bytes
            bytes[index] ^= 1 << UInt8(index % 8)
            if index < segment.encoder.initPart.count {
                #expect(throws: MP4Error.self) { try SegmentReader(bytes) }
                continue
            }
            let reader = try SegmentReader(bytes)
            let count = segment.ends.prefix { $0 <= index }.count
            #expect(reader.fragments == Array(whole.fragments.prefix(count)) && !reader.isComplete)
        }
    }

    @Test("without checksums no media is read")
    func headersOnly() throws {
        let segment = try SampleSegment(sampleSize: 300_000)
        var total = 0
        let reader = try SegmentReader(length: Int64(segment.bytes.count), verifyChecksums: false) { offset, count in
            total += count
            return segment.bytes.read(offset, count)
        }
        #expect(try reader.isComplete && reader.fragments == SegmentReader(segment.bytes).fragments)
        #expect(total < 4000)
    }

    @Test("checksums are taken in pieces")
    func chunks() throws {
        let segment = try SampleSegment(fragments: 1, sampleSize: 2 << 20)
        var largest = 0
        let reader = try SegmentReader(length: Int64(segment.bytes.count)) { offset, count in
            largest = max(largest, count)
            return segment.bytes.read(offset, count)
        }
        #expect(reader.isComplete && largest <= 256 << 10)
    }

    @Test("a growing file is read on from where it ended")
    func growing() throws {
        let segment = try SampleSegment()
        let start = segment.encoder.initPart.count
        var reader = try SegmentReader(Array(segment.bytes.prefix(start)))
        #expect(reader.fragments.isEmpty && reader.mediaEnd == reader.initLength && !reader.isComplete)
        for length in start...segment.bytes.count {
            try reader.extend(length: Int64(length), read: segment.bytes.read)
            #expect(reader.fragments.count == segment.ends.prefix { $0 <= length }.count)
        }
        #expect(try reader.isComplete && reader.fragments == SegmentReader(segment.bytes).fragments)
    }

    @Test("a file that became shorter than it was said to be ends where it does")
    func shrunk() throws {
        let segment = try SampleSegment()
        let left = Array(segment.bytes.prefix(segment.ends[1] + 100))
        let reader = try SegmentReader(length: Int64(segment.bytes.count), read: left.read)
        #expect(reader.fragments.count == 2 && !reader.isComplete)
    }

    @Test("an error of the disk is passed on as it is")
    func diskError() throws {
        struct DiskError: Error {}
        let segment = try SampleSegment()
        #expect(throws: DiskError.self) {
            try SegmentReader(length: Int64(segment.bytes.count)) { offset, count in
                if offset > Int64(segment.ends[1]) { throw DiskError() }
                return segment.bytes.read(offset, count)
            }
        }
    }

    @Test("a fragment of another file does not continue this one")
    func foreignFragment() throws {
        let segment = try SampleSegment()
        let second = segment.bytes[segment.ends[0]..<segment.ends[1]]
        let reader = try SegmentReader(Array(segment.bytes.prefix(segment.ends[1])) + second)
        #expect(reader.fragments.count == 2)
    }

    @Test("no noise traps a reader")
    func noise() throws {
        let segment = try SampleSegment(fragments: 2)
        let start = segment.encoder.initPart.count
        var random = SeededRandom(seed: 42)
        for _ in 0..<5000 {
            var bytes = segment.bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let noise = random.bytes(Int.random(in: 1...8, using: &random))
                bytes.replaceSubrange(place..<min(bytes.count, place + noise.count), with: noise)
            }
            // With a checksum that holds, so that what is behind it is reached.
            bytes.replaceSubrange(start - 4..<start, with: CRC32C(bytes.prefix(start - 4)).bytes)
            // Noise in the init part may be refused; unverified media may be anything that has the structure.
            let reader = try? SegmentReader(bytes, verifyChecksums: false)
            #expect(reader == nil || reader?.mediaEnd ?? 0 <= Int64(bytes.count))
        }
        for _ in 0..<2000 {
            let noise = random.bytes(Int.random(in: 0...600, using: &random))
            #expect(throws: MP4Error.self) { try SegmentReader(noise) }
            #expect(try SegmentReader(Array(segment.bytes.prefix(start)) + noise).fragments.isEmpty)
        }
    }
}

extension CRC32C {
    fileprivate var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) } }
}
