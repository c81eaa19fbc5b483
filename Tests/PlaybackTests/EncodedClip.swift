import Foundation
import FragmentedMP4
import Recording
import TestSupport

/// Some seconds that ffmpeg encoded, taken apart into samples: a key each second, unless other, and sound.
struct EncodedClip: Sendable {
    let tracks: [Track]
    let seconds: Int
    /// Of each track; times from 0.
    private let samples: [[Sample]]

    /// Pictures of `size`, 25 a second, H.264, a key in `keyEvery`; with `hasSound` AAC beside them.
    init(size: String = "192x108", seconds: Int = 4, hasSound: Bool = true, keyEvery: Int = 25) async throws {
        self.seconds = seconds
        let video = try await Self.packets(
            ["-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=\(seconds)"],
            ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "\(keyEvery)", "-sc_threshold", "0"],
            "mpegts")
        let picture = StreamDescription(
            codec: .h264, clockRate: 90_000, channels: 0, sampleRate: 0, configuration: video.first?.data ?? [])
        var tracks = [try Track(stream: picture)]
        var samples = [
            video.enumerated().map { index, packet in
                let unit = AccessUnit(annexB: packet.data, codec: .h264)
                return Sample(
                    track: 0, decodeTime: Int64(index) * 3600, duration: 3600, isSync: unit.isKey,
                    data: unit.sample)
            }
        ]
        if hasSound {
            let audio = try await Self.packets(
                ["-f", "lavfi", "-i", "sine=duration=\(seconds):sample_rate=16000"], ["-c:a", "aac"], "nut")
            let sound = StreamDescription(
                codec: .aac, clockRate: 16_000, channels: 1, sampleRate: 16_000, configuration: [0x14, 0x08])
            tracks.append(try Track(stream: sound))
            samples.append(
                audio.enumerated().map { index, packet in
                    Sample(
                        track: 1, decodeTime: Int64(index) * 1024, duration: 1024, isSync: true, data: packet.data)
                })
        }
        self.tracks = tracks
        self.samples = samples
    }

    /// The samples of one second of its endless repetition.
    func second(_ second: Int) -> [Sample] {
        tracks.indices.flatMap { track -> [Sample] in
            let scale = tracks[track].timescale
            let (from, to) = (Int64(second) * scale, Int64(second + 1) * scale)
            // Sound frames do not end with a second: they are numbered through.
            let length = Int64(samples[track].first?.duration ?? 1)
            return ((from + length - 1) / length..<(to + length - 1) / length).map { number in
                var sample = samples[track][Int(number) % samples[track].count]
                sample.decodeTime = number * length
                return sample
            }
        }
    }

    private static func packets(
        _ input: [String], _ encoder: [String], _ format: String
    ) async throws -> [(size: Int, data: [UInt8])] {
        let folder = NSTemporaryDirectory() + "cvr-clip-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        try await ffmpeg(input + encoder + ["-f", format, folder + "/clip"])
        try await ffmpeg(
            [
                "-i", folder + "/clip", "-c", "copy", "-f", "framecrc", folder + "/list", "-map", "0", "-c", "copy",
                "-f", "data",
            ]
                + [folder + "/data"])
        var rest = [UInt8](try Data(contentsOf: URL(filePath: folder + "/data")))[...]
        return try String(contentsOfFile: folder + "/list", encoding: .utf8).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",").map { $0.filter { $0 != " " } }
            guard fields.count > 4, !line.hasPrefix("#"), let size = Int(fields[4]) else { return nil }
            defer { rest = rest.dropFirst(size) }
            return (size, Array(rest.prefix(size)))
        }
    }

    private static func ffmpeg(_ arguments: [String]) async throws {
        let done = try await run("/usr/bin/ffmpeg", ["-nostdin", "-v", "error", "-y"] + arguments)
        guard done.ending == .exited(0) else { throw Missed("ffmpeg: \(done.errors)") }
    }
}
