import FragmentedMP4
import Recording
import Testing

extension SegmentInfo {
    static var sample: SegmentInfo {
        get throws {
            SegmentInfo(
                camera: try #require(CameraName("front")), id: SegmentID(session: 7, counter: 3),
                anchor: WallTime(microseconds: 1_795_427_280_123_456), quality: .synchronised)
        }
    }
}

/// Parameter sets of real encoders: 130x98, 25 frames per second.
enum Sets {
    /// x264, High profile, level 1.1, two pictures of reordering.
    static let h264 = """
        00000001 6764000bacd9424fe22230110000030001000003 00320f142996
        00000001 68ef8fcb
        """.bytes
    /// x265, Main profile, level 1, two pictures of reordering.
    static let h265 = """
        00000001 40010c01ffff01600000030090000003000003001e959409
        00000001 420101016000000300900000030000 03001ea0122071c44465959529 30bc05a0200000030020000003 0321
        00000001 4401c073c189
        """.bytes
}

extension String {
    /// Of hexadecimal digits; everything else is passed over.
    var bytes: [UInt8] {
        let digits = compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}

extension SegmentReader {
    init(_ bytes: [UInt8], verifyChecksums: Bool = true) throws {
        try self.init(length: Int64(bytes.count), verifyChecksums: verifyChecksums, read: bytes.read)
    }
}

extension [UInt8] {
    /// As a file answers: short at its end.
    func read(_ offset: Int64, _ count: Int) -> [UInt8] {
        Array(dropFirst(Int(clamping: offset)).prefix(count))
    }
}

/// A segment of made-up samples: a keyframe opens every second fragment.
struct SampleSegment {
    let tracks: [Track]
    let info: SegmentInfo
    private(set) var encoder: SegmentEncoder
    private(set) var bytes: [UInt8]
    /// Where each fragment ends.
    private(set) var ends: [Int] = []

    init(tracks: [Track]? = nil, fragments: Int = 4, sampleSize: Int = 20) throws {
        let tracks = try tracks ?? [.video(), .audio()]
        self.tracks = tracks
        info = try .sample
        encoder = SegmentEncoder(tracks: tracks, info: info)
        bytes = encoder.initPart
        for index in 0..<fragments {
            let samples = tracks.enumerated().flatMap { track, description in
                (0..<3).map { number in
                    Sample(
                        track: track, decodeTime: Int64(index * 3 + number) * 1000, duration: 1000,
                        compositionOffset: description.isVideo ? Int64(number - 1) * 1000 : 0,
                        isSync: !description.isVideo || (index % 2 == 0 && number == 0),
                        data: [UInt8](repeating: UInt8(index * 16 + number + 1), count: sampleSize))
                }
            }
            bytes += encoder.fragment(samples)
            ends.append(bytes.count)
        }
        bytes += encoder.trailer()
    }
}

extension Track {
    static func video(_ codec: Codec = .h264) throws -> Track {
        try Track(
            stream: StreamDescription(
                codec: codec, clockRate: 90000, configuration: codec == .h264 ? Sets.h264 : Sets.h265))
    }

    static func audio(_ codec: Codec = .aac, rate: Int64 = 16000, config: [UInt8] = [0x14, 0x08])
        throws -> Track
    {
        try Track(
            stream: StreamDescription(
                codec: codec, clockRate: rate, channels: 1, sampleRate: rate, configuration: config))
    }
}
