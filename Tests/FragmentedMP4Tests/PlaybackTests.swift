import Foundation
import FragmentedMP4
import Recording
import Testing

/// Segments made of FFmpeg's streams, played by FFmpeg.
@Suite struct PlaybackTests {
    struct Video: Sendable, CustomTestStringConvertible {
        var name: String
        var codec: Codec
        var encoder: [String]

        var testDescription: String { name }

        static func h264(_ name: String, _ options: String...) -> Video {
            Video(
                name: name, codec: .h264, encoder: ["libx264", "-preset", "veryfast", "-g", "10"] + options)
        }

        static func h265(_ name: String, parameters: String, _ options: String...) -> Video {
            let parameters = "log-level=none:keyint=10:" + parameters
            return Video(
                name: name, codec: .h265,
                encoder: ["libx265", "-preset", "ultrafast", "-x265-params", parameters] + options)
        }
    }

    static let videos: [Video] = [
        .h264("H.264 without reordering", "-bf", "0"),
        .h264("H.264 Baseline", "-profile:v", "baseline"),
        .h264("H.264 with B-frames", "-bf", "3", "-b_strategy", "0"),
        .h264("H.264 interlaced", "-flags", "+ildct+ilme", "-x264-params", "tff=1"),
        .h264(
            "H.264 4:2:2 10 bit, scaling lists, HRD", "-pix_fmt", "yuv422p10le", "-x264-params", "cqm=jvt"
        ),
        .h264(
            "H.264 CBR", "-b:v", "200k", "-maxrate", "200k", "-bufsize", "200k", "-x264-params",
            "nal-hrd=cbr"),
        .h264("H.264 4:4:4", "-pix_fmt", "yuv444p"),
        .h265("H.265 with B-frames", parameters: "bframes=3:open-gop=1"),
        .h265("H.265 without reordering", parameters: "bframes=0"),
        .h265(
            "H.265 10 bit, scaling lists", parameters: "scaling-list=default:bframes=0", "-pix_fmt",
            "yuv420p10le"),
        .h265("H.265 4:2:2", parameters: "bframes=1", "-pix_fmt", "yuv422p"),
    ]

    @Test("video plays with the very frames of its source", arguments: videos)
    func video(_ video: Video) throws {
        let workspace = try Workspace()
        let clip = try Clip(video.codec, video.encoder, in: workspace)
        let track = try Track(stream: clip.stream)
        var encoder = SegmentEncoder(tracks: [track], info: try .sample)
        let samples = clip.samples(track: 0)
        let bytes = encoder.file(samples)
        let path = try workspace.write(bytes, "out.mp4")

        let frames = try decodedFrames(path)
        #expect(frames.count == 25)
        #expect(try frames == decodedFrames(clip.source))

        let probe = try streamFields(path)
        #expect(probe["codec_tag_string"] == (video.codec == .h265 ? "hvc1" : "avc1"))
        #expect(probe["width"] == "\(track.width)" && probe["height"] == "\(track.height)")
        #expect(track.width == 132 && track.height == 100)
        #expect(probe["nb_read_frames"] == "25")
        guard case .video(let sets) = track.format else { return }
        #expect(sets.frameRate == 25)
        #expect(sets.reorderDepth.map { "\($0)" } == probe["has_b_frames"])

        let reader = try SegmentReader(bytes)
        #expect(reader.isComplete && reader.frames == 25 && reader.duration == 90_000)
        #expect(reader.tracks == [track])
        #expect(reader.trailer() == encoder.trailer())
        #expect(samples.contains { $0.compositionOffset < 0 } == (sets.reorderDepth != 0))
    }

    @Test(
        "audio plays with the very packets of its source",
        arguments: [
            (Codec.aac, ["aac"]), (.opus, ["libopus"]), (.alaw, ["pcm_alaw"]), (.ulaw, ["pcm_mulaw"]),
        ])
    func audio(_ codec: Codec, _ encoder: [String]) throws {
        let workspace = try Workspace()
        let clip = try Clip(codec, encoder, in: workspace)
        let track = try Track(stream: clip.stream)
        var encoder = SegmentEncoder(tracks: [track], info: try .sample)
        let bytes = encoder.file(clip.samples(track: 0))
        let path = try workspace.write(bytes, "out.mp4")

        try expectCleanDecoding(path)
        #expect(try copiedPackets(path) == copiedPackets(clip.source))
        // FFmpeg decodes both without the trimming that only its own containers announce.
        #expect(try decodedHash(path) == decodedHash(clip.source))
        let probe = try streamFields(path)
        #expect(probe["sample_rate"] == "\(Clip.rate(codec))" && probe["channels"] == "1")
        #expect(probe["time_base"] == "1/\(Clip.rate(codec))")

        let reader = try SegmentReader(bytes)
        #expect(reader.isComplete && reader.frames == clip.packets.count && reader.tracks == [track])
        #expect(reader.fragments.allSatisfy { $0.startsWithKey && $0.randomAccess != nil })
    }

    @Test("a picture's sound may start fragments later")
    func lateAudio() throws {
        let workspace = try Workspace()
        let video = try Clip(.h264, ["libx264", "-preset", "veryfast", "-bf", "0"], in: workspace)
        let audio = try Clip(.aac, ["aac"], in: workspace)
        var encoder = SegmentEncoder(
            tracks: [try Track(stream: video.stream), try Track(stream: audio.stream)], info: try .sample)
        let late = audio.samples(track: 1).filter { $0.decodeTime >= 8 * 1024 }
        let bytes = encoder.file(video.samples(track: 0) + late)
        let path = try workspace.write(bytes, "out.mp4")

        try expectCleanDecoding(path)
        #expect(try decodedFrames(path) == decodedFrames(video.source))
        #expect(try copiedPackets(path, "0:a").count == late.count)
        let starts = try Output.of(
            "ffprobe", ["-v", "error", "-show_entries", "stream=start_time", "-of", "csv=p=0", path])
        #expect(starts.lines == ["0.000000", "0.512000"])
        let reader = try SegmentReader(bytes)
        #expect(reader.fragments.map { $0.perTrack.map(\.track) } == [[0], [0, 1], [0, 1]])
        #expect(reader.isComplete && reader.frames == 25)
    }

    @Test("what recovery leaves of a torn file plays")
    func torn() throws {
        let workspace = try Workspace()
        let clip = try Clip(.h264, ["libx264", "-preset", "veryfast", "-bf", "0"], in: workspace)
        var encoder = SegmentEncoder(tracks: [try Track(stream: clip.stream)], info: try .sample)
        let whole = encoder.file(clip.samples(track: 0))
        let torn = Array(whole.dropLast(whole.count / 4))
        let reader = try SegmentReader(torn)
        #expect([10, 20].contains(reader.frames) && !reader.isComplete)
        let path = try workspace.write(torn.prefix(Int(reader.mediaEnd)) + reader.trailer(), "out.mp4")
        try expectCleanDecoding(path)
        #expect(try decodedFrames(path) == Array(decodedFrames(clip.source).prefix(reader.frames)))
    }

    @Test("a player that seeks by the trailer lands on a keyframe")
    func seek() throws {
        let workspace = try Workspace()
        let clip = try Clip(.h264, ["libx264", "-preset", "veryfast", "-g", "10", "-bf", "0"], in: workspace)
        var encoder = SegmentEncoder(tracks: [try Track(stream: clip.stream)], info: try .sample)
        let path = try workspace.write(encoder.file(clip.samples(track: 0)), "out.mp4")
        let sought = try decodedFrames(path, input: ["-use_mfra_for", "pts", "-ss", "0.5", "-noaccurate_seek"])
        #expect(try sought == Array(decodedFrames(clip.source).suffix(15)))
    }
}

private func expectCleanDecoding(_ path: String) throws {
    let output = try Output.of("ffmpeg", ["-v", "error", "-xerror", "-i", path, "-f", "null", "-"])
    #expect(output.status == 0 && output.text.isEmpty, "\(output.text)")
}

/// The hash of each picture; what FFmpeg complains of would be one too many.
private func decodedFrames(_ path: String, input: [String] = []) throws -> [Substring] {
    let output = try Output.of(
        "ffmpeg",
        ["-v", "error", "-xerror"] + input
            + ["-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-"])
    #expect(output.status == 0)
    return output.lines.map { $0.split(separator: " ").last ?? "" }
}

private func decodedHash(_ path: String) throws -> String {
    try Output.of("ffmpeg", ["-v", "error", "-flags2", "+skip_manual", "-i", path, "-f", "md5", "-"])
        .text
}

private func copiedPackets(_ path: String, _ map: String = "0") throws -> [Substring] {
    let output = try Output.of(
        "ffmpeg", ["-v", "error", "-i", path, "-map", map, "-c", "copy", "-f", "framemd5", "-"])
    return output.lines.map { $0.split(separator: " ").last ?? "" }
}

private func streamFields(_ path: String) throws -> [Substring: Substring] {
    let output = try Output.of(
        "ffprobe",
        ["-v", "error", "-count_frames", "-show_entries", "stream", "-of", "default=nw=1", path])
    return Dictionary(
        output.lines.map { line in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (parts[0], parts.last ?? "")
        }, uniquingKeysWith: { first, _ in first })
}
