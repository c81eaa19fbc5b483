import FragmentedMP4
import Recording
import TestSupport
import Testing

@Suite struct AccessUnitTests {
    @Test("parameter sets and delimiters leave, pictures stay behind their lengths")
    func split() {
        let unit = AccessUnit(
            annexB: "00000001 09F0".bytes + Sets.h264 + "000001 0605FF 000001 65888084 00000001 6100".bytes,
            codec: .h264)
        #expect(unit.sample == "00000003 0605FF 00000004 65888084 00000001 61".bytes)
        #expect(unit.parameterSets == Sets.h264)
        #expect(unit.isKey)
    }

    @Test("garbage before the first start code, empty units and trailing zeros are dropped")
    func oddities() {
        let unit = AccessUnit(
            annexB: "FF00AB 000001 000001 00000001 00000000000001 419A0000 0000 000001 0C 000001".bytes, codec: .h264)
        #expect(unit.sample == "00000002 419A 00000001 0C".bytes)
        #expect(unit.parameterSets.isEmpty && !unit.isKey)
    }

    @Test("what looks like a start code but for one byte is picture data")
    func nearStartCodes() {
        let picture = "41 00000300 000003 0100 0002 01000002000103".bytes
        let unit = AccessUnit(annexB: [0, 0, 1] + picture, codec: .h264)
        #expect(unit.sample == [0, 0, 0, UInt8(picture.count)] + picture)
    }

    @Test("every IRAP picture of H.265 is a key, a trailing picture is not", arguments: 0..<64)
    func keysOfH265(type: Int) {
        let unit = AccessUnit(annexB: [0, 0, 1, UInt8(type << 1), 1, 0xAF], codec: .h265)
        #expect(unit.isKey == (16...23).contains(type))
        #expect(unit.parameterSets.isEmpty == !(32...34).contains(type))
        #expect(unit.sample.isEmpty == (32...35).contains(type))
    }

    @Test("only IDR pictures of H.264 are keys", arguments: 0..<32)
    func keysOfH264(type: Int) {
        let unit = AccessUnit(annexB: [0, 0, 1, 0x60 | UInt8(type), 0xAF], codec: .h264)
        #expect(unit.isKey == (type == 5))
        #expect(unit.sample.isEmpty == (7...9).contains(type))
    }

    @Test("units too short for their header are dropped")
    func shortUnits() {
        let unit = AccessUnit(annexB: "000001 26 000001 2601AF".bytes, codec: .h265)
        #expect(unit.sample == "00000003 2601AF".bytes)
    }

    @Test("bytes without a start code are no picture", arguments: ["", "00", "0000", "000000", "65888084"])
    func nothing(hex: String) {
        let unit = AccessUnit(annexB: hex.bytes, codec: .h264)
        #expect(unit.sample.isEmpty && unit.parameterSets.isEmpty && !unit.isKey)
    }

    @Test("two megabytes of the shortest units grow by a quarter and no more")
    func flood() {
        let unit = AccessUnit(
            annexB: [UInt8]((0..<500_000).flatMap { _ in [0, 0, 1, 0x41] as [UInt8] }), codec: .h264)
        #expect(unit.sample.count == 2_500_000)
    }

    @Test("no noise traps the splitter, and every byte of it is in a sample once")
    func noise() {
        var random = SeededRandom(seed: 3)
        for round in 0..<20_000 {
            var bytes = random.bytes(Int.random(in: 0...120, using: &random))
            // Mostly zeros and ones, so that start codes are common.
            for index in bytes.indices where bytes[index] < 160 { bytes[index] %= 2 }
            let unit = AccessUnit(annexB: bytes, codec: round % 2 == 0 ? .h264 : .h265)
            #expect(unit.sample.count <= bytes.count * 5 / 4)
            var rest = unit.sample[...]
            while !rest.isEmpty {
                let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
                #expect(length > 0 && length <= rest.count - 4)
                rest = rest.dropFirst(4 + max(1, length))
            }
        }
    }
}
