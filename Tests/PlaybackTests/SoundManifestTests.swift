import Foundation
import HTTP
import Playback
import Recording
import TestSupport
import Testing

/// HLS of a camera with G.711, which no player of HLS plays: it gets the picture, and beside it AAC.
@Suite("Playback: HLS of G.711", .serialized, .timeLimit(.minutes(2)))
struct SoundManifestTests {
    private static let asset = "/assets/asset-front/"

    /// 16 s in segments of 8 s, which are chunks of 6 and 2 s, and after a gap 8 s more.
    private func withSite(_ clip: String, _ body: @Sendable (ServedSite) async throws -> Void) async throws {
        let site = try RecordedSite()
        try await site.record(clip, session: 1, at: 0, seconds: 16, length: 8)
        try await site.record(clip, session: 2, at: 30, seconds: 8)
        let hooks = ServerHooks(previews: Previews(.init(program: Repository.binaries + "/cvr-preview")))
        try await ServedSite.run(
            try site.archive(), access: Access(signing: Access.signingKey(UUID().uuidString), isOpen: true),
            hooks: hooks, body)
    }

    @Test(
        "every picture and all of the sound are played, at their times and without a click",
        // `contrib/test --all` plays both laws.
        arguments: ProcessInfo.processInfo.environment["CVR_CONFORMANCE"] == nil
            ? ["h264-alaw"] : ["h264-alaw", "h264-ulaw"])
    func plays(clip: String) async throws {
        let source = try await SourceClip(clip)
        try await withSite(clip) { served in
            let manifest = "\(served.base)\(Self.asset)manifest(format=m3u8-cmaf"
            let played = try await Played(manifest + ")", source.video)
            let expected = Expected(clip: source, stretches: [0..<16, 0..<8])
            let difference = expected.difference(played, isMadeAAC: true)
            #expect(difference == nil, "\(difference ?? "")")
            // What a player's own choice is not made of, as it was recorded.
            let recorded = try await Played(manifest + ",tracks=all)", source.video)
            #expect(expected.difference(recorded) == nil)
            let heard = try await Self.heard(manifest + ")", beside: manifest + ",tracks=all)")
            print("\(clip) as AAC in HLS: \(heard.loudest) dB, differs by \(heard.difference) dB at most")
            #expect(heard.loudest > -30 && heard.difference < heard.loudest - 20)
        }
    }

    /// The loudest sample of a manifest from its 2nd to its 15th second, and where it differs most from another one, in dB.
    private static func heard(_ manifest: String, beside other: String) async throws -> (
        loudest: Double, difference: Double
    ) {
        // Ticks of 1/8000 s: served time is UTC.
        let start = RecordedSite.start.microseconds / 1_000_000
        let part = "atrim=start_pts=\((start + 2) * 8000):end_pts=\((start + 15) * 8000),asetpts=N"
        func loudest(_ graph: String, _ inputs: String...) async throws -> Double {
            let done = try await run(
                "/usr/bin/ffmpeg",
                ["-nostdin"] + inputs.flatMap { ["-copyts", "-i", $0] }
                    + ["-filter_complex", graph + ",volumedetect", "-f", "null", "-"])
            let found = try #require(done.errors.firstMatch(of: /max_volume: (-?[\d.]+) dB/), "\(done.errors)")
            return try #require(Double(found.output.1))
        }
        let mix = "[0:a]\(part)[a];[1:a]\(part),volume=-1[b];[a][b]amix=normalize=0:duration=shortest"
        return (try await loudest("[0:a]\(part)", manifest), try await loudest(mix, manifest, other))
    }

    @Test("the multivariant playlist says what a player chooses by, and carries a signature on")
    func multivariant() async throws {
        try await withSite("h264-alaw") { served in
            struct Signed: Decodable { let signature: String }
            let answer = try await served.get("/sign?camera=front&from=2026-03-01T09:00:00Z&to=2026-03-01T11:00:00Z")
            let signature = "signature=" + (try JSONDecoder().decode(Signed.self, from: Data(answer.body)).signature)
            let range = "startTime=2026-03-01T10:00:00Z,endTime=2026-03-01T10:00:16Z"
            let manifest = try await served.get("\(Self.asset)manifest(format=m3u8-aapl,\(range)).m3u8?\(signature)")
            let text = String(decoding: manifest.body, as: UTF8.self)
            let size =
                try await run(
                    "/usr/bin/ffprobe",
                    [
                        "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height", "-of",
                        "csv=p=0:s=x",
                    ]
                        + ["\(served.base)/ranges/front.mp4?from=2026-03-01T10:00:00Z&to=2026-03-01T10:00:08Z"]
                ).text.split(separator: "\n").first ?? "none"
            for part in ["CODECS=\"avc1.", ",mp4a.40.2\"", "RESOLUTION=\(size)", "FRAME-RATE=10.0", "AUDIO=\"sound\""] {
                #expect(text.contains(part), "\(part) in \(text)")
            }
            let bandwidth = try #require(text.firstMatch(of: /BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)/)).output
            #expect(try #require(Int(bandwidth.1)) >= #require(Int(bandwidth.2)))
            for reference in [
                try #require(text.firstMatch(of: /URI="([^"]+)"/)).output.1,
                try #require(text.split(separator: "\n").last { !$0.hasPrefix("#") }),
            ] {
                #expect(reference.hasSuffix(signature))
                let path = try ServedSite.path(of: reference, in: Self.asset)
                let playlist = String(decoding: try await served.get(path).body, as: UTF8.self)
                let media = playlist.split(separator: "\n").filter { !$0.hasPrefix("#") }
                #expect(media.count == 4 && media.allSatisfy { $0.hasSuffix(signature) }, "\(playlist)")
            }
        }
    }

    @Test("what is no part of a sound is refused, and a chunk's init part and media are its sound")
    func parts() async throws {
        try await withSite("h264-alaw") { served in
            let text = String(
                decoding: try await served.get("\(Self.asset)manifest(format=m3u8-cmaf,tracks=audio)").body,
                as: UTF8.self)
            let chunk = try ServedSite.path(
                of: try #require(text.split(separator: "\n").first { $0.hasPrefix("sound/") }), in: Self.asset)
            let start = try await served.get(chunk.replacing("part=media", with: "part=init")).body
            let media = try await served.get(chunk).body
            #expect(start[4...].starts(with: Array("ftyp".utf8)) && media[4...].starts(with: Array("moof".utf8)))
            #expect(try await served.get(chunk.replacing("part=media", with: "part=none")).status == 400)
            for tracks in ["none", ""] {
                let answer = try await served.get("\(Self.asset)manifest(format=m3u8-cmaf,tracks=\(tracks))")
                #expect(answer.status == 400 && ServedSite.code(answer) == "invalidParameter")
            }
            #expect(try await served.get("\(Self.asset)manifest(format=mpd-time-cmaf,tracks=all)").status == 400)
        }
    }
}
