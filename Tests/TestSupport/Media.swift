package import Foundation
package import Recording

/// One sample of a media file as ffmpeg's demuxer, which is not ours, sees it.
package struct MediaSample: Hashable, Sendable {
    package let track: Int
    /// In the track's timescale.
    package let decodeTime: Int64
    /// MD5 of the sample; of video: of its coded slices alone, so that stripped parameter sets make no difference.
    package let hash: String
}

/// What ffmpeg says about media files.
package enum Media {
    /// ffmpeg is heavy: two at a time fill the machine.
    private static let gate = Machine(places: 2)

    /// Every sample of the file in its order, and what ffmpeg complains of when it decodes the file.
    package static func examine(
        _ path: String, video: Codec?
    ) async throws -> (samples: [MediaSample], complaints: String) {
        let filter: [String] =
            switch video {
            case .h264: ["-bsf:v", "h264_mp4toannexb,filter_units=pass_types=1-5"]
            case .h265: ["-bsf:v", "hevc_mp4toannexb,filter_units=pass_types=0-31"]
            default: []
            }
        // What is decoded keeps its times: frames may be closer than the frame rate that ffmpeg guesses.
        let decoding = ["-map", "0", "-fps_mode", "passthrough", "-enc_time_base:v", "-1", "-f", "null", "-"]
        let hashes = ["-map", "0", "-c", "copy"] + filter + ["-avoid_negative_ts", "disabled", "-f", "framehash"]
        let done = try await gate.place {
            try await run(
                "/usr/bin/ffmpeg",
                ["-nostdin", "-v", "error", "-xerror", "-copyts", "-ignore_editlist", "1", "-i", path]
                    + hashes + ["-hash", "md5", "-"] + decoding)
        }
        let samples = try done.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(Self.sample)
        return (samples, done.ending == .exited(0) ? done.errors : "\(done.ending) \(done.errors)")
    }

    private static func sample(_ line: Substring) throws -> MediaSample {
        let fields = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard fields.count >= 6, let track = Int(fields[0]), let decodeTime = Int64(fields[1])
        else { throw Missed("ffmpeg prints '\(line)'") }
        return MediaSample(track: track, decodeTime: decodeTime, hash: fields[5])
    }

    /// The bytes of the file's audio: what there is to compare of G.711, whose packets have no borders.
    package static func audioBytes(_ path: String) async throws -> Data {
        let done = try await gate.place {
            try await run(
                "/usr/bin/ffmpeg",
                ["-nostdin", "-v", "error", "-i", path, "-map", "0:a", "-c", "copy", "-f", "data", "-"])
        }
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
        let path = try await Self.path(name)
        self.name = name
        video = name.hasPrefix("h264") ? .h264 : name.hasPrefix("h265") ? .h265 : nil
        let isG711 = path.hasSuffix(".mov")
        audio = isG711 ? try await Media.audioBytes(path) : Data()
        let samples = try await Media.examine(path, video: video).samples
        let tracks = Set(samples.map(\.track)).sorted()
        hashes = tracks.map { track in
            isG711 && track > 0 ? [] : samples.filter { $0.track == track }.map(\.hash)
        }
        for track in hashes where Set(track).count != track.count {
            throw Missed("clip \(name) repeats itself: it proves nothing about the order of frames")
        }
    }

    /// Where the clip is; it is made when it is not there yet.
    static func path(_ name: String) async throws -> String {
        let done = try await run(
            "/usr/bin/python3", [Repository.path("contrib/camera/clips.py"), name], within: .seconds(120))
        guard done.ending == .exited(0),
            let path = try JSONDecoder().decode([String: String].self, from: done.output)[name]
        else { throw Missed("clip \(name): \(done.errors)") }
        return path
    }
}
