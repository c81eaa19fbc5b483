import FragmentedMP4
import Recording
import TestSupport
import Testing

@Suite struct VideoParameterSetsTests {
    @Test("H.264 sets tell size, frame rate, reordering and codec")
    func h264() throws {
        let sets = try #require(VideoParameterSets(codec: .h264, annexB: Sets.h264))
        #expect(sets.width == 130 && sets.height == 98)
        #expect(sets.frameRate == 25 && sets.reorderDepth == 2)
        #expect(sets.codecString == "avc1.64000b")
        #expect(sets.annexB == Sets.h264)
    }

    @Test("H.265 sets tell size, frame rate, reordering and codec")
    func h265() throws {
        let sets = try #require(VideoParameterSets(codec: .h265, annexB: Sets.h265))
        #expect(sets.width == 130 && sets.height == 98)
        #expect(sets.frameRate == 25 && sets.reorderDepth == 2)
        #expect(sets.codecString == "hvc1.1.6.L30.90")
        #expect(sets.annexB == Sets.h265)
    }

    @Test("a Baseline stream that says nothing does not reorder")
    func baseline() throws {
        // 640x360 cut from 640x368, level 3, no usability information.
        let sets = try #require(
            VideoParameterSets(codec: .h264, annexB: "000001 6742001EF405017FCA80 000001 68CE3C80".bytes))
        #expect(sets.width == 640 && sets.height == 360)
        #expect(sets.reorderDepth == 0 && sets.frameRate == nil && sets.codecString == "avc1.42001e")
    }

    @Test("a Main stream that says nothing leaves reordering unknown")
    func main() throws {
        let sets = try #require(
            VideoParameterSets(codec: .h264, annexB: "000001 674D001EF405017FCA80 000001 68CE3C80".bytes))
        #expect(sets.reorderDepth == nil)
    }

    @Test("order and repetition make no difference, a changed unit does")
    func equality() throws {
        let split = Sets.h264.count - 8
        let (sequence, picture) = (Array(Sets.h264.prefix(split)), Array(Sets.h264.suffix(8)))
        let sets = try #require(VideoParameterSets(codec: .h264, annexB: Sets.h264))
        #expect(VideoParameterSets(codec: .h264, annexB: picture + sequence + picture) == sets)
        #expect(sets.updated(by: picture) == sets)
        let changed = "000001 68ef8fca".bytes
        let updated = try #require(sets.updated(by: changed))
        #expect(updated != sets && updated.annexB == sequence + [0] + changed)
        #expect(updated == VideoParameterSets(codec: .h264, annexB: Sets.h264 + changed))
    }

    @Test("an incomplete or foreign group is refused")
    func incomplete() {
        let split = Sets.h264.count - 8
        #expect(VideoParameterSets(codec: .h264, annexB: []) == nil)
        #expect(VideoParameterSets(codec: .h264, annexB: Array(Sets.h264.prefix(split))) == nil)
        #expect(VideoParameterSets(codec: .h264, annexB: Array(Sets.h264.suffix(8))) == nil)
        #expect(VideoParameterSets(codec: .h265, annexB: Array(Sets.h265.dropFirst(28))) == nil)
        #expect(VideoParameterSets(codec: .h265, annexB: Sets.h264) == nil)
        #expect(VideoParameterSets(codec: .aac, annexB: Sets.h264) == nil)
    }

    @Test("a camera that changes its picture under another id is followed, and back")
    func otherID() throws {
        // seq_parameter_set_id 1, 16384 pixels wide; and picture parameter set 1, which refers to it.
        let other = "000001 6742001E568004001190 000001 6848E388".bytes
        let first = try #require(VideoParameterSets(codec: .h264, annexB: Sets.h264))
        let second = try #require(first.updated(by: other))
        #expect(second.width == 16384 && second.width != first.width)
        #expect(try #require(second.updated(by: Sets.h264)).width == first.width)
        // What refers to nothing changes nothing.
        #expect(second.updated(by: [])?.width == 16384)
    }

    @Test("a picture parameter set of another sequence does not complete a group")
    func foreignReference() {
        // pic_parameter_set_id 0, seq_parameter_set_id 1: 1 010 …
        #expect(VideoParameterSets(codec: .h264, annexB: Sets.h264.dropLast(8) + "00000001 68A8".bytes) == nil)
    }

    @Test("sizes beyond 16384 and oversized units are refused")
    func limits() {
        // pic_width_in_mbs_minus1 of 2047: 32768 pixels.
        #expect(VideoParameterSets(codec: .h264, annexB: "000001 6742001EF400100017C8 000001 68CE3C80".bytes) == nil)
        #expect(
            VideoParameterSets(codec: .h264, annexB: "000001 6742001EF40020005F20 000001 68CE3C80".bytes)?.width
                == 16384)
        let long = Sets.h264 + [UInt8](repeating: 0x55, count: 40_000)
        #expect(VideoParameterSets(codec: .h264, annexB: long) == nil)
    }

    @Test("sets cut at any byte trap nothing", arguments: [Codec.h264, .h265])
    func cuts(codec: Codec) {
        let bytes = codec == .h264 ? Sets.h264 : Sets.h265
        for start in bytes.indices {
            for end in start..<bytes.count { _ = VideoParameterSets(codec: codec, annexB: Array(bytes[start..<end])) }
        }
    }

    @Test("no noise traps a parser, and no size escapes its limit", arguments: [Codec.h264, .h265])
    func noise(codec: Codec) {
        let bytes = codec == .h264 ? Sets.h264 : Sets.h265
        var random = SeededRandom(seed: 5)
        for _ in 0..<20_000 {
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                mutated[Int.random(in: 4..<mutated.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let sets = VideoParameterSets(codec: codec, annexB: mutated) else { continue }
            #expect((1...16384).contains(sets.width) && (1...16384).contains(sets.height))
            #expect(sets.frameRate.map { $0 > 0 && $0 <= 1000 } ?? true)
            #expect((0...16).contains(sets.reorderDepth ?? 0))
            #expect(VideoParameterSets(codec: codec, annexB: sets.annexB) == sets)
            #expect(!sets.codecString.isEmpty)
        }
    }

    @Test("a sequence parameter set of noise alone traps nothing", arguments: [Codec.h264, .h265])
    func pureNoise(codec: Codec) {
        var random = SeededRandom(seed: 6)
        let header: [UInt8] = codec == .h264 ? [0, 0, 1, 0x67] : [0, 0, 1, 0x42, 1]
        let rest = codec == .h264 ? Sets.h264.suffix(8) : Sets.h265.suffix(10) + Sets.h265.prefix(28)
        for _ in 0..<20_000 {
            let noise = random.bytes(Int.random(in: 0...80, using: &random))
            _ = VideoParameterSets(codec: codec, annexB: header + noise + rest)
        }
    }
}
