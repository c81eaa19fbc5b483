import FragmentedMP4
import Recording
import TestSupport
import Testing
import Timeline

/// A segment as both ends of its file tell it, against all of it.
@Suite("Timeline: outlines of segments")
struct SegmentOutlineTests {
    /// Of one whose keys are further apart than its fragments.
    private static let clips = ["h264-aac", "h264-bframes", "h265-aac", "aac-only"]

    private func outline(_ bytes: [UInt8], tail: Int) throws -> SegmentOutline? {
        try SegmentOutline(length: Int64(bytes.count), tail: tail) { offset, count in
            Array(bytes.dropFirst(Int(offset)).prefix(count))
        }
    }

    @Test("the keys are those that a reader of the whole finds, wherever the trailer begins", arguments: clips)
    func keys(_ clip: String) async throws {
        var footage = MadeFootage()
        try await footage.add(clip, session: 1, at: 0, seconds: 12)
        for row in footage.rows {
            let bytes = try #require(footage.files[row.key])
            for tail in [0, 20, 100_000_000] {
                let outline = try #require(try outline(bytes, tail: tail))
                let keys = row.media.fragments.filter(\.isKey)
                #expect(outline.keys.map(\.offset) == keys.map(\.offset))
                #expect(outline.keys.map(\.decodeTime) == keys.map(\.decodeTime))
                #expect(outline.mediaEnd == row.media.mediaEnd && outline.start.initLength == row.media.initLength)
            }
        }
    }

    @Test(
        "a row that knows its keys alone is served with the same bytes, wherever one begins to read", arguments: clips)
    func served(_ clip: String) async throws {
        var footage = MadeFootage()
        try await footage.add(clip, session: 1, at: 0, seconds: 8, length: 8)
        let row = try #require(footage.rows.first)
        var brief = row
        brief.media.fragments.removeAll { !$0.isKey }
        if clip == "h264-bframes" { #expect(brief.media.fragments.count < row.media.fragments.count) }
        let map = ByteMap(whole: brief, shift: .seconds(5))
        let whole = try footage.bytes(ByteMap(whole: row, shift: .seconds(5)))
        var random = SeededRandom(seed: 7)
        for blockSize in [1, 333, 4096, 100_000, 1 << 20] {
            #expect(try footage.bytes(map, blockSize: blockSize) == whole)
        }
        for _ in 0..<200 {
            let start = Int.random(in: 0..<whole.count, using: &random)
            let end = min(whole.count, start + Int.random(in: 1...60_000, using: &random))
            let part = try footage.bytes(
                map, Int64(start)..<Int64(end), blockSize: Int.random(in: 1...70_000, using: &random))
            #expect(part.elementsEqual(whole[start..<end]))
        }
    }

    @Test("a damaged end is no outline, or one whose keys rise in the media")
    func damaged() async throws {
        var footage = MadeFootage()
        try await footage.add("h264-aac", session: 1, at: 0, seconds: 4)
        let row = try #require(footage.rows.first)
        let bytes = try #require(footage.files[row.key])
        var random = SeededRandom(seed: 8)
        var refused = 0
        for _ in 0..<500 {
            var copy = bytes
            let place = Int.random(in: Int(row.media.mediaEnd)..<bytes.count, using: &random)
            copy[place] = UInt8.random(in: 0...255, using: &random)
            guard let found = try outline(copy, tail: 4096) else {
                refused += 1
                continue
            }
            let offsets = found.keys.map(\.offset)
            #expect(offsets.first == row.media.initLength && offsets == offsets.sorted())
            #expect(offsets.allSatisfy { $0 < found.mediaEnd } && found.mediaEnd == row.media.mediaEnd)
        }
        #expect(refused > 100)
        for count in [0, 16, Int(row.media.mediaEnd), bytes.count - 1] where count > Int(row.media.initLength) {
            #expect(try outline(Array(bytes.prefix(count)), tail: 4096) == nil)
        }
    }
}
