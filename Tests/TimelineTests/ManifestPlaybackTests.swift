import Foundation
import Recording
import TestSupport
import Testing
import Timeline

/// Manifests of real footage that ffmpeg plays from a folder, every frame.
@Suite("Timeline: manifests played")
struct ManifestPlaybackTests {
    @Test(
        "ffmpeg plays every frame, over a session's border and a gap",
        arguments: [
            ("h264-aac", "index.m3u8"), ("h265-aac", "index.m3u8"), ("h264-aac", "index.mpd"),
            ("h264-bframes", "index.mpd"),
        ])
    func gap(_ clip: String, _ manifest: String) async throws {
        var footage = MadeFootage()
        try await footage.add(clip, session: 1, at: 0, seconds: 12)
        try await footage.add(clip, session: 2, at: 13, from: 4, seconds: 8)
        try await footage.add(clip, session: 3, at: 30, seconds: 8)
        let folder = try Folder()
        let list = ChunkList(
            Selection(footage.rows, 2.5, 35, origin: WallTime(microseconds: 0)), as: .onDemand)
        try folder.write(list, footage)
        let source = try await SourceClip(clip)
        let found = try await Media.examine(folder.file(manifest), video: source.video)
        #expect(found.complaints.isEmpty, "\(found.complaints)")
        let hashes = source.hashes[0]
        let rate = hashes.count / 20
        let expected = hashes[2 * rate..<12 * rate] + hashes[4 * rate..<12 * rate] + hashes[0..<5 * rate]
        #expect(found.samples.filter { $0.track == 0 }.map(\.hash) == Array(expected))
    }
}

/// A folder with the media and the manifests of one list, gone with its owner.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.appending(path: "manifest-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }

    // One that stays behind in the temporary directory harms no test.
    deinit { if getenv("KEEP") == nil { try? FileManager.default.removeItem(atPath: path) } }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ list: ChunkList, _ footage: MadeFootage) throws {
        for piece in Set(list.chunks.map { Piece($0.piece.row, 0..<1, shift: $0.piece.shift) }) {
            for track in [nil] + piece.row.media.tracks.indices.map(Optional.some) {
                let address = MediaAddress(piece, only: track)
                let url = URL(filePath: file(address.path))
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                let map = try #require(ByteMap(address, of: piece.row))
                try Data(try footage.bytes(map)).write(to: url)
            }
        }
        try HLSPlaylist(list).text.write(toFile: file("index.m3u8"), atomically: true, encoding: .utf8)
        try DASHManifest(list, now: epoch).text.write(toFile: file("index.mpd"), atomically: true, encoding: .utf8)
    }
}
