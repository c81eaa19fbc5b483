import FragmentedMP4
import Recording
import TestSupport
import Testing

@Suite struct TrackTests {
    @Test("video runs at 90 kHz, audio at its sample rate")
    func timescales() throws {
        #expect(try Track.video().timescale == 90000)
        #expect(try Track.audio(.alaw, rate: 8000).timescale == 8000)
        #expect(try Track.audio(.aac, rate: 44100, config: [0x12, 0x08]).sampleRate == 44100)
        let opus = StreamDescription(codec: .opus, clockRate: 48000, channels: 2, sampleRate: 16000)
        #expect(try Track(stream: opus).timescale == 48000)
    }

    @Test(
        "a codec string names the audio object type",
        arguments: [
            ([0x12, 0x10], "mp4a.40.2"), ([0x2B, 0x92, 0x08, 0x00], "mp4a.40.5"),
            ([0xEB, 0x8A, 0x08, 0x00], "mp4a.40.29"), ([0xF8, 0xEA, 0x10, 0x00], "mp4a.40.39"),
        ] as [([UInt8], String)])
    func aacCodecString(config: [UInt8], expected: String) throws {
        #expect(try Track.audio(.aac, rate: 48000, config: config).codecString == expected)
    }

    @Test("other codec strings")
    func codecStrings() throws {
        let codecs: [Codec] = [.opus, .alaw, .ulaw]
        #expect(try codecs.map { try Track.audio($0, rate: 8000).codecString } == ["opus", "alaw", "ulaw"])
        #expect(try Track.video(.h265).codecString == "hvc1.1.6.L30.90")
    }

    @Test("what the configuration says fills in what the description lacks")
    func fallbacks() throws {
        let aac = StreamDescription(codec: .aac, clockRate: 0, configuration: [0x12, 0x10])
        let track = try Track(stream: aac)
        #expect(track.sampleRate == 44100 && track.channels == 2)
        #expect(try Track(stream: StreamDescription(codec: .ulaw, clockRate: 8000)).channels == 1)
    }

    @Test(
        "a stream that cannot be described is refused with the next step",
        arguments: [
            StreamDescription(codec: .h264, clockRate: 90000),
            StreamDescription(codec: .h265, clockRate: 90000, configuration: Sets.h264),
            StreamDescription(codec: .aac, clockRate: 16000),
            StreamDescription(codec: .aac, clockRate: 16000, configuration: [0x00]),
            StreamDescription(codec: .opus, clockRate: 48000, channels: 6),
            StreamDescription(codec: .alaw, clockRate: 0),
            StreamDescription(codec: .ulaw, clockRate: .max),
            StreamDescription(codec: .ulaw, clockRate: 8000, channels: .max),
        ])
    func refused(stream: StreamDescription) {
        let error = #expect(throws: MP4Error.self) { try Track(stream: stream) }
        #expect(error?.description.contains("H.264") == true)
    }

    @Test("parameter sets that arrived in band count, those of another codec do not")
    func inBand() throws {
        let stream = StreamDescription(codec: .h264, clockRate: 90000)
        #expect(try Track(stream: stream, parameterSets: Sets.parsed(.h264)).width == 130)
        #expect(throws: MP4Error.self) { try Track(stream: stream, parameterSets: Sets.parsed(.h265)) }
    }

    @Test("no configuration traps")
    func noise() {
        var random = SeededRandom(seed: 9)
        for _ in 0..<20_000 {
            let noise = random.bytes(Int.random(in: 0...12, using: &random))
            let stream = StreamDescription(codec: .aac, clockRate: 16000, channels: 1, configuration: noise)
            // Refusing is as good as taking it.
            guard let track = try? Track(stream: stream) else { continue }
            #expect(track.codecString.hasPrefix("mp4a.40."))
        }
    }
}
