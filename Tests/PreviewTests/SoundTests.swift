import Foundation
import TestSupport
import Testing

@Suite("Preview: sound", .timeLimit(.minutes(2)))
struct SoundTests {
    private struct Packet: Hashable {
        var time: Int64
        var size: Int
    }

    private func packets(_ file: String) async throws -> [Packet] {
        let done = try await run(
            "/usr/bin/ffprobe",
            [
                "-v", "error", "-show_entries", "stream=codec_name,sample_rate:packet=dts,size", "-of", "csv=p=0", file,
            ])
        let lines = done.text.split(separator: "\n")
        try #require(lines.contains { $0 == "aac,8000" }, "\(done.text) \(done.errors)")
        return lines.compactMap { line in
            let fields = line.split(separator: ",")
            guard let time = Int64(fields[0]), let size = Int(fields[1]) else { return nil }
            return Packet(time: time, size: size)
        }
    }

    private func loudness(_ file: String) async throws -> Double {
        let done = try await run(
            "/usr/bin/ffmpeg", ["-nostdin", "-i", file, "-map", "0:a", "-af", "volumedetect", "-f", "null", "-"])
        let mean = try #require(done.errors.firstMatch(of: /mean_volume: (-?[\d.]+) dB/), "\(done.errors)")
        return try #require(Double(mean.output.1))
    }

    @Test("G.711 becomes AAC that is as loud, at the same times", arguments: ["h264-alaw", "h264-ulaw"])
    func whole(name: String) async throws {
        let clip = try await FragmentedClip(name, seconds: 4)
        let folder = try TemporaryFolder()
        let done = try await Trial("aac", media: clip.bytes)
        try #require(done.ending == .exited(0), "\(done.complaint)")
        let (before, after) = (try folder.write("b.mov", clip.bytes), try folder.write("a.mp4", done.result))
        let (was, became) = (try await loudness(before), try await loudness(after))
        #expect(abs(was - became) < 1, "\(was) dB, \(became) dB")
        let packets = try await packets(after)
        let expected = Array(stride(from: Int64(0), to: 4 * 8000, by: 1024))
        #expect(packets.map(\.time) == expected)
    }

    @Test("parts of one recording have their frames at the same places, and what they hold in common is the same")
    func parts() async throws {
        let clip = try await FragmentedClip("h264-alaw", seconds: 8)
        let folder = try TemporaryFolder()
        let whole = try folder.write("w.mp4", try await Trial("aac", media: clip.bytes).result)
        let part = try folder.write(
            "p.mp4", try await Trial("aac", media: clip.initPart + clip.fragments(from: 2)).result)
        let (all, some) = (try await packets(whole), try await packets(part))
        try #require(some.count > 10)
        // Fragments start with video: sound of up to a packet before is in the one before.
        #expect((28_000...33_000).contains(some[0].time), "\(some[0].time)")
        #expect(some[0].time % 1024 == 0)
        #expect(some.map(\.time) == Array(all.map(\.time).suffix(some.count)))
        // From the third frame on nothing of the cut is left but what a rate control remembers.
        let decoded = try await difference(whole, part, skip: some[3].time)
        #expect(decoded < -35, "\(decoded) dB")
    }

    /// The loudest difference between two files from `skip` ticks of 1/8000 s on, in dB.
    private func difference(_ first: String, _ second: String, skip: Int64) async throws -> Double {
        let from = "atrim=start_pts=\(skip),asetpts=N"
        let graph = "[0:a]\(from)[a];[1:a]\(from),volume=-1[b];[a][b]amix=normalize=0:duration=shortest,volumedetect"
        let done = try await run(
            "/usr/bin/ffmpeg",
            ["-nostdin", "-copyts", "-i", first, "-copyts", "-i", second, "-filter_complex", graph, "-f", "null", "-"])
        let loudest = try #require(done.errors.firstMatch(of: /max_volume: (-?[\d.]+) dB/), "\(done.errors)")
        return try #require(Double(loudest.output.1))
    }

    @Test("what has no G.711 is said not to", arguments: ["h264-aac", "h264-video"])
    func others(name: String) async throws {
        let done = try await Trial("aac", media: try await FragmentedClip(name, seconds: 2).bytes)
        #expect(done.ending == .exited(69) && done.result.isEmpty)
        #expect(done.complaint == "cvr-preview: no G.711 sound\n")
    }
}
