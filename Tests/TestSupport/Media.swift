package import Foundation
package import Recording

/// One sample of a media file as ffmpeg's demuxer, which is not ours, sees it.
package struct MediaSample: Hashable, Sendable {
    package let track: Int
    /// In the track's timescale.
    package let decodeTime: Int64
    package let duration: Int64
    package let bytes: Int
    /// MD5 of the sample; of video: of its coded slices alone, so that stripped parameter sets make no difference.
    package let hash: String
}

/// What ffmpeg says about media files.
package enum Media {
    /// Fails unless every frame of the file decodes.
    package static func decode(_ path: String) async throws {
        let done = try await run(
            "/usr/bin/ffmpeg", ["-nostdin", "-v", "error", "-xerror", "-i", path, "-map", "0", "-f", "null", "-"])
        guard done.ending == .exited(0), done.errors.isEmpty else {
            throw Missed("\(path) does not decode: \(done.ending) \(done.errors)")
        }
    }

    /// Every sample of the file, in its order.
    package static func samples(_ path: String, video: Codec?) async throws -> [MediaSample] {
        let filter: [String] =
            switch video {
            case .h264: ["-bsf:v", "h264_mp4toannexb,filter_units=pass_types=1-5"]
            case .h265: ["-bsf:v", "hevc_mp4toannexb,filter_units=pass_types=0-31"]
            default: []
            }
        let done = try await run(
            "/usr/bin/ffmpeg",
            ["-nostdin", "-v", "error", "-copyts", "-ignore_editlist", "1", "-i", path, "-map", "0", "-c", "copy"]
                + filter + ["-avoid_negative_ts", "disabled", "-f", "framehash", "-hash", "md5", "-"])
        guard done.ending == .exited(0) else { throw Missed("\(path): \(done.ending) \(done.errors)") }
        return try done.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let fields = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            guard fields.count >= 6, let track = Int(fields[0]), let decodeTime = Int64(fields[1]),
                let duration = Int64(fields[3]), let bytes = Int(fields[4])
            else { throw Missed("ffmpeg prints '\(line)'") }
            return MediaSample(
                track: track, decodeTime: decodeTime, duration: duration, bytes: bytes, hash: fields[5])
        }
    }

    /// The bytes of the file's audio: what there is to compare of G.711, whose packets have no borders.
    package static func audioBytes(_ path: String) async throws -> Data {
        let done = try await run(
            "/usr/bin/ffmpeg",
            ["-nostdin", "-v", "error", "-i", path, "-map", "0:a", "-c", "copy", "-f", "data", "-"])
        guard done.ending == .exited(0) else { throw Missed("\(path): \(done.ending) \(done.errors)") }
        return done.output
    }
}

/// A clip that a simulated camera loops: the truth that recordings are held against.
package struct SourceClip: Sendable {
    package let name: String
    package let video: Codec?
    /// Per track the hashes in order of sending; empty for G.711.
    package let hashes: [[String]]
    /// G.711 as it is sent, else empty.
    package let audio: Data

    package init(_ name: String) async throws {
        let done = try await run(
            "/usr/bin/python3", [Repository.path("contrib/camera/clips.py"), name], within: .seconds(120))
        guard done.ending == .exited(0),
            let path = try JSONDecoder().decode([String: String].self, from: done.output)[name]
        else { throw Missed("clip \(name): \(done.errors)") }
        self.name = name
        video = name.hasPrefix("h264") ? .h264 : name.hasPrefix("h265") ? .h265 : nil
        let isG711 = path.hasSuffix(".mov")
        audio = isG711 ? try await Media.audioBytes(path) : Data()
        let samples = try await Media.samples(path, video: video)
        let tracks = Set(samples.map(\.track)).sorted()
        hashes = tracks.map { track in
            isG711 && track > 0 ? [] : samples.filter { $0.track == track }.map(\.hash)
        }
        for track in hashes where Set(track).count != track.count {
            throw Missed("clip \(name) repeats itself: it proves nothing about the order of frames")
        }
    }
}
