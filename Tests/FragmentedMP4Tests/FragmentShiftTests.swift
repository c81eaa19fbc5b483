import Foundation
import FragmentedMP4
import Recording
import Testing

@Suite("Fragments shifted in place")
struct FragmentShiftTests {
    private func fragment() throws -> (bytes: [UInt8], headLength: Int) {
        var encoder = SegmentEncoder(tracks: [try .video(), try .audio()], info: try .sample)
        let samples = [(0, Int64(90_000)), (1, 16_000)].map { track, time in
            Sample(track: track, decodeTime: time, duration: 1000, isSync: true, data: [1, 2, 3])
        }
        let bytes = encoder.fragment(samples)
        return (bytes, try #require(FragmentShift.headLength(bytes)))
    }

    @Test(
        "each track's time moves by its constant, and nothing else but the checksum box's type",
        arguments: [
            ([10, 20], [90_010, 16_020]), ([-90_000, -1], [0, 15_999]), ([-90_001, .min], [0, 0]),
            ([.max, 0], [Int64.max, 16_000]), ([5], [90_005, 16_000]), ([], [90_000, 16_000]),
        ] as [([Int64], [Int64])])
    func shift(_ ticks: [Int64], _ expected: [Int64]) throws {
        let (bytes, length) = try fragment()
        var head = Array(bytes.prefix(length))
        #expect(FragmentShift.decodeTimes(head) == [0: 90_000, 1: 16_000])
        #expect(FragmentShift.shift(&head, by: ticks) == true)
        #expect(FragmentShift.decodeTimes(unchecked(head)) == [0: expected[0], 1: expected[1]])
        let changed = zip(bytes, head).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset)
        #expect(head.count == length && String(decoding: head[4..<8], as: UTF8.self) == "free")
        #expect(changed.allSatisfy { $0 < 8 || $0 >= 64 })
    }

    @Test("the moof ends where the head does")
    func headLength() throws {
        let (bytes, length) = try fragment()
        #expect(String(decoding: bytes[length + 4..<length + 8], as: UTF8.self) == "mdat")
        #expect(FragmentShift.headLength(bytes.prefix(FragmentShift.prefix - 1)) == nil)
        #expect(FragmentShift.headLength([]) == nil)
    }

    @Test("hostile heads change nothing or stay what they are, and trap nothing")
    func hostile() throws {
        let (bytes, length) = try fragment()
        let head = Array(bytes.prefix(length))
        for index in head.indices {
            for value: UInt8 in [0, 1, 8, 0x7F, 0x80, 0xFF] {
                var copy = head
                copy[index] = value
                let before = copy
                let isShifted = FragmentShift.shift(&copy, by: [.max, .min])
                #expect(copy.count == before.count && (isShifted || copy == before))
            }
        }
        for count in 0..<length {
            var short = Array(head.prefix(count))
            #expect(!FragmentShift.shift(&short, by: [1, 1]))
        }
        var many = Array(head.prefix(FragmentShift.prefix)) + [UInt8](repeating: 0, count: 8 * 1000)
        for index in 0..<1000 {
            many.replaceSubrange(40 + index * 8..<48 + index * 8, with: [0, 0, 0, 8] + "traf".utf8)
        }
        many.replaceSubrange(32..<36, with: [0, 0, 0x1F, 0x48])
        #expect(!FragmentShift.shift(&many, by: [1]))
    }

    /// With its checksum box as it was, for `decodeTimes`.
    private func unchecked(_ head: [UInt8]) -> [UInt8] {
        var copy = head
        copy.replaceSubrange(4..<8, with: "uuid".utf8)
        return copy
    }
}
