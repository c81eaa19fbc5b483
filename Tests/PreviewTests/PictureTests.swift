import Foundation
import TestSupport
import Testing

@Suite("Preview: pictures", .timeLimit(.minutes(2)))
struct PictureTests {
    /// How much a picture is like the first one of `media` as ffmpeg decodes and scales it, in dB.
    private func likeness(_ picture: Data, to media: Data) async throws -> Double {
        let folder = try TemporaryFolder()
        let (jpeg, film) = (try folder.write("p.jpg", picture), try folder.write("m.mov", media))
        let graph = "[1:v]select=eq(n\\,0),setpts=0,scale=320:-2:flags=area,format=yuvj420p[b];[0:v][b]psnr"
        let done = try await run(
            "/usr/bin/ffmpeg",
            ["-nostdin", "-i", jpeg, "-i", film, "-lavfi", graph, "-frames:v", "1", "-f", "null", "-"])
        let average = try #require(done.errors.firstMatch(of: /average:([\d.]+)/), "\(done.errors)")
        return try #require(Double(average.output.1))
    }

    @Test(
        "the first picture of a fragment is the camera's at that moment, small and in its colours",
        arguments: ["h264-aac", "h264-bframes", "h265", "h264-alaw"])
    func picture(name: String) async throws {
        let clip = try await FragmentedClip(name, seconds: 6)
        // A fragment in the middle, as a viewer points at one.
        let media = clip.initPart + clip.fragments(from: 2)
        let done = try await Trial("jpeg 320", media: media)
        try #require(done.ending == .exited(0), "\(done.complaint)")
        let right = try await likeness(done.result, to: media)
        let wrong = try await likeness(done.result, to: clip.bytes)
        #expect(right > 35 && right > wrong + 6, "\(right) dB, another moment \(wrong) dB")
    }

    @Test("a picture is never made larger, and no larger than asked for")
    func size() async throws {
        let clip = try await FragmentedClip("h264-other-size", seconds: 2)
        for (width, expected) in [(64, "64,36"), (1920, "480,272")] {
            let done = try await Trial("jpeg \(width)", media: clip.bytes)
            let folder = try TemporaryFolder()
            let probe = try await run(
                "/usr/bin/ffprobe",
                [
                    "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0",
                    try folder.write("p.jpg", done.result),
                ])
            #expect(probe.text.hasPrefix(expected), "\(probe.text)")
        }
    }
}
