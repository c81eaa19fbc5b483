import Foundation
import Messages
import TestSupport
import Testing

@Suite("cvr-playback killed and hung", .showsEvidence, .timeLimit(.minutes(20)))
struct PlaybackKillTests {
    static let cameras = ["front", "yard"]

    /// Two cameras that are recorded and stored, and where they are served.
    static func withServedBox(_ access: [String] = [], _ body: (Box) async throws -> Void) async throws {
        try await Machine.shared.place {
            try await withCameras(
                cameras.map { .init($0, clip: "h264-video") },
                settings: { $0.playback = ["listen: 127.0.0.1:0"] + access }
            ) { box, _ in
                try await box.start()
                for camera in cameras { try await box.untilStored(1, of: camera) }
                try await body(box)
            }
        }
    }

    /// Its state once another process than `old` serves.
    static func serving(_ box: Box, insteadOf old: Int64? = nil, within limit: Duration) async throws -> Admin.Playback
    {
        try await eventually("cvr-playback serves", within: limit, every: .milliseconds(100)) {
            guard let found = try await box.status().playback, found.state == "running", found.pid != old,
                let listen = found.listen, try await Web.get("http://\(listen)/healthz").status == 200
            else { return nil }
            return found
        }
    }

    @Test("killed and hung it is back within seconds, and no recorder noticed")
    func killed() async throws {
        try await Self.withServedBox { box in
            let workers = try Self.cameras.map { try box.worker(of: $0) }
            var served = try await Self.serving(box, within: .seconds(20))
            for _ in 1...2 {
                kill(try box.playback().pid, SIGKILL)
                served = try await Self.serving(box, insteadOf: served.pid, within: .seconds(10))
            }
            kill(try box.playback().pid, SIGSTOP)
            served = try await Self.serving(box, insteadOf: served.pid, within: .seconds(60))
            #expect(try Self.cameras.map { try box.worker(of: $0) } == workers)
            for camera in Self.cameras {
                try await box.untilStored(try await box.segments(of: camera).count + 1, of: camera)
                let recorded = try await RecordedCamera(camera, in: box)
                #expect(recorded.gaps.isEmpty && recorded.status.restarts == 0, "\(recorded.gaps)")
                #expect(recorded.coverage?.percent == 100, "\(String(describing: recorded.coverage))")
            }
            try await box.endSupervisor(SIGKILL)
            #expect(try await Web.get("http://\(served.listen ?? "")/healthz").status == 200, "it needs no cvrd")
            try await box.start()
            #expect(try await Self.serving(box, within: .seconds(20)).pid == served.pid, "adopted")
            #expect(try await box.stop() == .exited(0))
        }
    }

    @Test("cvr-preview, all that it may start, makes a picture within its sandbox")
    func previews() async throws {
        try await Self.withServedBox { box in
            let listen = try await Self.serving(box, within: .seconds(20)).listen ?? ""
            let first = try #require(try await box.segments(of: "front").first)
            let picture = try await eventually("a picture", within: .seconds(20)) {
                let found = try await Web.get("http://\(listen)/preview/front.jpg?time=\(first.start)&width=160")
                return found.status == 200 ? found : nil
            }
            #expect(picture.body.starts(with: [0xFF, 0xD8, 0xFF]) && picture.body.count > 500)
        }
    }
}
