import Foundation
import TestSupport
import Testing

/// A box as a program sees it that was made for LVA: Microsoft's own client, and a broker's client that is not ours.
@Suite(
    "Media graph: Microsoft's client", .showsEvidence, .timeLimit(.minutes(15)),
    .enabled(
        if: ProcessInfo.processInfo.environment["CVR_LVA_CLIENT"] != nil, "CVR_LVA_CLIENT names a Python that has it"))
struct MicrosoftClientTests {
    private struct Recorded: Decodable {
        var assetName, filePath: String
    }

    @Test("has all its words kept and every answer, error and event in them; what it asks for is recorded")
    func client() async throws {
        let python = try #require(ProcessInfo.processInfo.environment["CVR_LVA_CLIENT"])
        try await withGateway { scene, rig in
            let files = "\(scene.box.root)/files"
            let given = """
                {"http": "http://127.0.0.1:\(scene.ways.port)", "token": "\(GatewayWays.token)",
                 "mqtt": \(scene.mosquitto.port), "camera": "\(try rig.url("lab"))", "files": "\(files)"}
                """
            let done = try await run(
                python, ["-B", Repository.path("Tests/EndToEndTests/lva.py"), given], within: .seconds(240))
            try #require(done.ending == .exited(0), "\(done.errors)")
            let recorded = try JSONDecoder().decode(Recorded.self, from: done.output)
            let store = "\(scene.box.root)/store/test/\(recorded.assetName)"
            try await check(SegmentFiles.all(in: store, endings: [".mp4"]), tracks: 2, areOurs: true)
            #expect(SegmentFiles.all(in: files, endings: [".mp4"]) == [recorded.filePath])
            try await check([recorded.filePath], tracks: 1, areOurs: false)
        }
    }

    private func check(_ files: [String], tracks: Int, areOurs: Bool) async throws {
        let footage = try await Footage(files, of: try await SourceClip("h264-aac"), areOurs: areOurs)
        #expect(!files.isEmpty && footage.complaints.isEmpty, "\(files): \(footage.complaints)")
        for track in footage.tracks.prefix(tracks) { #expect(track.isWhole && track.samples > 0, "\(track)") }
    }
}
