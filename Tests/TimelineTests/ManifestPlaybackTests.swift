import Foundation
import Recording
import TestSupport
import Testing
import Timeline

/// Manifests of real footage that ffmpeg plays over HTTP, every frame.
@Suite("Timeline: manifests played")
struct ManifestPlaybackTests {
    @Test(
        "ffmpeg plays every frame, over a session's border and a gap",
        arguments: [("h265-aac", "index.m3u8"), ("h264-aac", "index.mpd"), ("h264-bframes", "index.mpd")])
    func gap(_ clip: String, _ manifest: String) async throws {
        var footage = MadeFootage()
        try await footage.add(clip, session: 1, at: 0, seconds: 12)
        try await footage.add(clip, session: 2, at: 13, from: 4, seconds: 8)
        try await footage.add(clip, session: 3, at: 30, seconds: 8)
        let selection = Selection(footage.rows, 2.5, 35, origin: WallTime(microseconds: 0))
        let server = try await FileServer(ChunkList(selection, as: .onDemand), footage)
        let source = try await SourceClip(clip)
        let played = try await server.play(manifest, source.video)
        #expect(played.complaints.isEmpty, "\(played.complaints)")
        let hashes = source.hashes[0]
        let rate = hashes.count / 20
        let expected = hashes[2 * rate..<12 * rate] + hashes[4 * rate..<12 * rate] + hashes[0..<5 * rate]
        #expect(played.pictures.map(\.hash) == Array(expected))
        #expect(zip(played.pictures, played.pictures.dropFirst()).allSatisfy { $0.time < $1.time })
        // The media's own time is UTC.
        let last = played.pictures.last.map { epoch + .seconds(35) - WallTime(microseconds: Int64($0.seconds * 1e6)) }
        #expect(last.map { $0.magnitude < .seconds(1) } ?? false)
        await server.stop()
    }
}

/// The media and the manifests of one list, behind an HTTP server.
private struct FileServer {
    struct Picture {
        let time: Int64
        let seconds: Double
        let hash: String
    }

    private let process: ChildProcess
    private let folder: String
    private let address: String

    init(_ list: ChunkList, _ footage: MadeFootage) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "manifest-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        for piece in Set(list.chunks.map { Piece($0.piece.row, 0..<1, shift: $0.piece.shift) }) {
            for track in [nil] + piece.row.media.tracks.indices.map(Optional.some) {
                let address = MediaAddress(piece, only: track)
                let url = URL(filePath: "\(folder)/\(address.path)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                let map = try #require(ByteMap(address, of: piece.row))
                try Data(try footage.bytes(map)).write(to: url)
            }
        }
        try Data(HLSPlaylist(list).text.utf8).write(to: URL(filePath: "\(folder)/index.m3u8"))
        try Data(DASHManifest(list, now: epoch).text.utf8).write(to: URL(filePath: "\(folder)/index.mpd"))
        process = try ChildProcess(
            "/usr/bin/python3", [Repository.path("Tests/TimelineTests/files.py"), folder])
        let port = try await process.output.first("a port") { $0 }.found
        address = "http://127.0.0.1:\(port)"
    }

    func stop() async {
        process.closeInput()
        await process.stop()
        // A folder that stays behind in the temporary directory harms no test.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// What ffmpeg makes of a manifest: each picture's packet, all of it decoded too, and what it complains of.
    func play(_ manifest: String, _ codec: Codec?) async throws -> (pictures: [Picture], complaints: String) {
        let filter =
            codec == .h265
            ? "hevc_mp4toannexb,filter_units=pass_types=0-31" : "h264_mp4toannexb,filter_units=pass_types=1-5"
        let done = try await run(
            "/usr/bin/ffmpeg",
            ["-nostdin", "-v", "error", "-xerror", "-copyts", "-i", "\(address)/\(manifest)", "-map", "0:v"]
                + ["-c", "copy", "-bsf:v", filter, "-f", "framehash", "-hash", "md5", "-"]
                + ["-map", "0", "-fps_mode", "passthrough", "-enc_time_base:v", "-1", "-f", "null", "-"])
        let base = done.text.split(separator: "\n").first { $0.hasPrefix("#tb 0:") }?.split(separator: "/").last
        let scale = base.flatMap { Double($0) } ?? 1
        let pictures = done.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line -> Picture? in
            let fields = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            guard fields.count >= 6, let time = Int64(fields[1]) else { return nil }
            return Picture(time: time, seconds: Double(time) / scale, hash: fields[5])
        }
        return (pictures, done.ending == .exited(0) ? done.errors : "\(done.ending) \(done.errors)")
    }
}
