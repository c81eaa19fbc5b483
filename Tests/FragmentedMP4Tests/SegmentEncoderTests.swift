import Checksums
import FragmentedMP4
import Recording
import Testing

@Suite struct SegmentEncoderTests {
    @Test("the bytes of a fragment and a trailer are these")
    func golden() throws {
        var encoder = SegmentEncoder(tracks: [try .video(), try .audio(.alaw, rate: 8000)], info: try .sample)
        let offset = encoder.initPart.count
        let fragment = encoder.fragment([
            Sample(
                track: 0, decodeTime: 90000, duration: 3600, compositionOffset: 3600, isSync: true, data: [1, 2, 3]),
            Sample(track: 1, decodeTime: 8000, duration: 2, isSync: true, data: [0xD5, 0xD5]),
            Sample(track: 0, decodeTime: 93600, duration: 3600, compositionOffset: -3600, isSync: false, data: [4]),
        ])
        let payload = """
            000000C4 6D6F6F66
              00000010 6D666864 00000000 00000001
              00000060 74726166
                00000010 74666864 00020000 00000001
                00000014 74666474 01000000 0000000000015F90
                00000034 7472756E 01000F01 00000002 000000CC
                  00000E10 00000003 02000000 00000E10
                  00000E10 00000001 01010000 FFFFF1F0
              0000004C 74726166
                00000010 74666864 00020000 00000002
                00000014 74666474 01000000 0000000000001F40
                00000020 7472756E 01000701 00000001 000000D0
                  00000002 00000002 02000000
            0000000E 6D646174 01020304 D5D5
            """.bytes
        #expect(Array(fragment.dropFirst(32)) == payload)
        let checksum = CRC32C(payload).hex
        #expect(
            Array(fragment.prefix(32))
                == "00000020 75756964 17aa4d1a5e724533b23e209c5fe4a3bd \(checksum) 000000D2".bytes)
        let place = String(offset + 32, radix: 16)
        let trailer = """
            00000046 6D667261
              0000002E 74667261 01000000 00000001 00000003 00000001
                0000000000016DA0 \(String(repeating: "0", count: 16 - place.count))\(place) 01 01 00000001
              00000010 6D66726F 00000000 00000046
            """
        #expect(encoder.trailer() == trailer.bytes)
    }

    @Test(
        "an init part reads back as the tracks it was made of, and they make the same bytes",
        arguments: [
            [Track.Format.video(try Sets.parsed(.h264))],
            [.video(try Sets.parsed(.h265)), .aac(config: [0x14, 0x08])],
            [.opus], [.alaw], [.ulaw],
        ])
    func initPart(formats: [Track.Format]) throws {
        let tracks = try formats.map(Track.sample)
        let encoder = SegmentEncoder(tracks: tracks, info: try .sample)
        let reader = try SegmentReader(encoder.initPart)
        #expect(reader.tracks == tracks && reader.initLength == Int64(encoder.initPart.count))
        #expect(SegmentEncoder(tracks: reader.tracks, info: reader.info).initPart == encoder.initPart)
    }

    @Test("a fragment without samples is no bytes and leaves no trace")
    func empty() throws {
        let segment = try SampleSegment()
        var encoder = segment.encoder
        #expect(encoder.fragment([]).isEmpty)
        let stray = Sample(track: 9, decodeTime: 0, duration: 1, isSync: true, data: [1])
        #expect(encoder.fragment([stray]).isEmpty)
        #expect(encoder.trailer() == segment.encoder.trailer())
    }

    @Test("a copy that is thrown away leaves the trailer without its fragment")
    func copies() throws {
        let segment = try SampleSegment()
        var attempt = segment.encoder
        let sample = Sample(track: 0, decodeTime: 12000, duration: 1000, isSync: true, data: [1])
        _ = attempt.fragment([sample])
        #expect(attempt.trailer() != segment.encoder.trailer())
        #expect(try SegmentReader(segment.bytes).isComplete)
    }

    @Test("times and durations outside their fields are held at the edge")
    func clamping() throws {
        var encoder = SegmentEncoder(tracks: [try .video()], info: try .sample)
        let bytes = [
            Sample(track: 0, decodeTime: -5, duration: -1, compositionOffset: .min, isSync: true, data: []),
            Sample(track: 0, decodeTime: .max, duration: .max, compositionOffset: .max, isSync: true, data: [1]),
        ].flatMap { encoder.fragment([$0]) }
        let reader = try SegmentReader(encoder.initPart + bytes + encoder.trailer())
        #expect(reader.isComplete && reader.fragments.count == 2)
        #expect(reader.fragments[0].randomAccess?.time == 0)
    }

    @Test("a sample of 2 MB is one write")
    func large() throws {
        var encoder = SegmentEncoder(tracks: [try .video(.h265)], info: try .sample)
        let data = [UInt8](repeating: 0x5A, count: 2 << 20)
        let fragment = encoder.fragment([Sample(track: 0, decodeTime: 0, duration: 3600, isSync: true, data: data)])
        #expect(fragment.suffix(data.count) == data[...])
        let reader = try SegmentReader(encoder.initPart + fragment + encoder.trailer())
        #expect(reader.isComplete && reader.frames == 1)
    }
}

extension Sets {
    static func parsed(_ codec: Codec) throws -> VideoParameterSets {
        try #require(VideoParameterSets(codec: codec, annexB: codec == .h264 ? h264 : h265))
    }
}

extension Track {
    static func sample(_ format: Format) throws -> Track {
        switch format {
        case .video(let sets): try .video(sets.codec)
        case .aac(let config): try .audio(.aac, rate: 16000, config: config)
        case .opus: try .audio(.opus, rate: 48000)
        case .alaw: try .audio(.alaw, rate: 8000)
        case .ulaw: try .audio(.ulaw, rate: 8000)
        }
    }
}
