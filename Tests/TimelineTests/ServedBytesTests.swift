import Foundation
import FragmentedMP4
import Recording
import TestSupport
import Testing
import Timeline

/// Ranges of real footage, as bytes that ffmpeg plays.
@Suite("Timeline: served bytes")
struct ServedBytesTests {
    @Test(
        "ffmpeg decodes every frame of a range over a session border and a gap, on one rising time line",
        arguments: ["h264-aac", "h264-bframes", "h265-aac", "h264-alaw", "h264-opus", "aac-only"])
    func range(_ clip: String) async throws {
        var footage = MadeFootage()
        try await footage.add(clip, session: 1, at: 0, seconds: 12)
        try await footage.add(clip, session: 2, at: 12, from: 4, seconds: 8)
        try await footage.add(clip, session: 3, at: 27, seconds: 8)
        var selection = Selection(footage.rows, 6.5, 29.5)
        let first = try #require(selection.pieces.first)
        selection.startAtZero(try decodeTimes(first, footage))
        let map = ByteMap(selection.pieces)
        let bytes = try footage.bytes(map)
        #expect(Int64(bytes.count) == map.length)

        let source = try await SourceClip(clip)
        let found = try await examined(bytes, video: source.video)
        #expect(found.complaints.isEmpty, "\(found.complaints)")
        #expect(found.samples.map(\.decodeTime).min() == 0)
        for track in source.hashes.indices {
            let times = found.samples.filter { $0.track == track }.map(\.decodeTime)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        }
        guard source.video != nil else { return }
        let hashes = source.hashes[0]
        let rate = hashes.count / 20
        // Keys are 1 s or 2 s apart; both divide 6.
        let expected = hashes[6 * rate..<12 * rate] + hashes[4 * rate..<12 * rate] + hashes[0..<3 * rate]
        #expect(found.samples.filter { $0.track == 0 }.map(\.hash) == Array(expected))
    }

    @Test("any range of the file is exact to the byte, whatever the blocks")
    func exactRanges() async throws {
        var footage = MadeFootage()
        try await footage.add("h264-aac", session: 1, at: 0, seconds: 8)
        try await footage.add("h264-aac", session: 2, at: 9, seconds: 8)
        let map = ByteMap(Selection(footage.rows, 1, 15).pieces)
        let whole = try footage.bytes(map)
        for blockSize in [1, 50, 333, 4096, 100_000] { #expect(try footage.bytes(map, blockSize: blockSize) == whole) }
        var random = SeededRandom(seed: 5)
        for _ in 0..<300 {
            let start = Int.random(in: 0..<whole.count, using: &random)
            let end = min(whole.count, start + Int.random(in: 1...60_000, using: &random))
            let part = try footage.bytes(
                map, Int64(start)..<Int64(end), blockSize: Int.random(in: 1...70_000, using: &random))
            #expect(part.elementsEqual(whole[start..<end]))
        }
    }

    @Test("bytes that are not what their row says end the reading, whatever they are")
    func damaged() async throws {
        var footage = MadeFootage()
        try await footage.add("h264-video", session: 1, at: 0, seconds: 8, length: 8)
        let row = try #require(footage.rows.first)
        let map = ByteMap(whole: row, shift: .seconds(1))
        let bytes = footage.files[row.key] ?? []
        let start = Int(row.media.fragments[3].offset)
        var random = SeededRandom(seed: 6)
        for _ in 0..<200 {
            var copy = bytes
            for index in start..<start + 60 { copy[index] = UInt8.random(in: 0...255, using: &random) }
            #expect(throws: ServedBytes.Damaged.self) { try served(map, copy) }
        }
        #expect(throws: ServedBytes.Damaged.self) { try served(map, Array(bytes.prefix(start + 500))) }
        #expect(throws: ServedBytes.Damaged.self) { try served(map, []) }
    }

    private func served(_ map: ByteMap, _ file: [UInt8]) throws {
        var served = ServedBytes(map, 0..<map.length, blockSize: 10_000)
        while try served.next({ Array(file.dropFirst(Int($1)).prefix($2)) }) != nil {}
    }

    private func decodeTimes(_ piece: Piece, _ footage: MadeFootage) throws -> [Int: Int64] {
        let start = piece.bytes.lowerBound
        let prefix = try footage.read(piece.row, start, FragmentShift.prefix)
        let length = try #require(FragmentShift.headLength(prefix))
        return try #require(FragmentShift.decodeTimes(try footage.read(piece.row, start, length)))
    }

    private func examined(_ bytes: [UInt8], video: Codec?) async throws -> (samples: [MediaSample], complaints: String)
    {
        let path = FileManager.default.temporaryDirectory.appending(path: "range-\(UUID().uuidString).mp4").path
        defer { unlink(path) }
        try Data(bytes).write(to: URL(filePath: path))
        return try await Media.examine(path, video: video)
    }
}
