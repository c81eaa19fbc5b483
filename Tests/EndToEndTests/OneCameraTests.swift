import Foundation
import FragmentedMP4
import Messages
import TestSupport
import Testing

@Suite("One camera", .showsEvidence)
struct OneCameraTests {
    @Test("is recorded, stored, listed without a hole and stopped without a trace", .timeLimit(.minutes(20)))
    func recorded() async throws {
        try await Machine.shared.place {
            let clip = try await SourceClip("h264-aac")
            try await withCameras([.init("front", clip: clip.name)]) { box, _ in
                try await box.start()
                try await box.untilStored(3, of: "front")
                let front = try await RecordedCamera("front", in: box)
                #expect(front.status.state == "recording")
                #expect(front.status.codec.hasPrefix("avc1."))
                #expect(front.status.width == 320 && front.status.height == 240)
                #expect(front.status.restarts == 0)
                #expect(front.gaps.isEmpty, "\(front.gaps)")
                #expect(front.coverage?.percent == 100, "\(String(describing: front.coverage))")
                #expect(front.sessions.count == 1)
                #expect(front.segments.map(\.counter) == Array(0..<Int64(front.segments.count)))
                try await stopped(box, clip)
            }
        }
    }

    @Test(
        "is recorded whole over each transport", .timeLimit(.minutes(20)),
        arguments: [["transport: udp"], ["tls: { verify: none }"]])
    func transports(options: [String]) async throws {
        try await Machine.shared.place {
            let clip = try await SourceClip("h264-alaw")
            let isTLS = options.contains { $0.hasPrefix("tls") }
            let folder = FileManager.default.temporaryDirectory.appending(path: "cvr-tls-\(UUID())").path
            defer { try? FileManager.default.removeItem(atPath: folder) }  // a throw-away key
            var camera = CameraRig.Camera("front", clip: clip.name)
            if isTLS { camera.options = ["tls=\(try await Self.certificate(in: folder))"] }
            try await withCameras([camera], settings: { $0.cameras[0].options = options }) { box, rig in
                #expect(try rig.url("front").hasPrefix(isTLS ? "rtsps://" : "rtsp://"))
                try await box.start()
                try await box.untilStored(3, of: "front")
                let front = try await RecordedCamera("front", in: box)
                #expect(front.gaps.isEmpty && front.coverage?.percent == 100, "\(front.gaps)")
                try await stopped(box, clip)
            }
        }
    }

    /// `certificate:key` of a camera that nobody vouches for.
    private static func certificate(in folder: String) async throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let done = try await run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera",
                "-keyout", "\(folder)/key", "-out", "\(folder)/certificate",
            ])
        guard done.ending == .exited(0) else { throw Missed("openssl: \(done.errors)") }
        return "\(folder)/certificate:\(folder)/key"
    }

    /// Stops the box and holds its files against the clip.
    private func stopped(_ box: Box, _ clip: SourceClip) async throws {
        let session = try await RecordedCamera("front", in: box).sessions.first ?? 0
        #expect(try await box.stop() == .exited(0))
        #expect(box.processes().isEmpty)
        let cached = TestBox.cached("front", session: session, in: box.root)
        let objects = SegmentFiles.all(in: "\(box.root)/store", endings: [".mp4"])
        #expect(SegmentFiles.all(in: "\(box.root)/cache", endings: [".partial"]).isEmpty)
        #expect(cached.count >= 3)
        #expect(objects.count == cached.count, "the last pass stores what stopping closed")
        for (object, local) in zip(objects, cached) {
            #expect(FileManager.default.contentsEqual(atPath: object, andPath: local))
            #expect(try SegmentFiles.read(object).isComplete)
        }
        let footage = try await Footage(objects, of: clip)
        #expect(footage.complaints.isEmpty, "\(footage.complaints)")
        for track in footage.tracks { #expect(track.isWhole, "\(track)") }
    }
}
