import Foundation
import Messages
import TestSupport
import Testing

@Suite("cvr-playback killed and hung", .showsEvidence, .timeLimit(.minutes(20)))
struct PlaybackKillTests {
    private static let cameras = ["front", "yard"]

    /// Two cameras that are recorded and stored, and where they are served.
    private func withServedBox(_ body: (Box) async throws -> Void) async throws {
        try await Machine.shared.place {
            try await withCameras(
                Self.cameras.map { .init($0, clip: "h264-video") }, settings: { $0.playback = ["listen: 127.0.0.1:0"] }
            ) { box, _ in
                try await box.start()
                for camera in Self.cameras { try await box.untilStored(1, of: camera) }
                try await body(box)
            }
        }
    }

    /// Its state once another process than `old` serves.
    private func serving(_ box: Box, insteadOf old: Int64? = nil, within limit: Duration) async throws -> Admin.Playback
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
        try await withServedBox { box in
            let workers = try Self.cameras.map { try box.worker(of: $0) }
            var served = try await serving(box, within: .seconds(20))
            for _ in 1...2 {
                kill(try box.playback().pid, SIGKILL)
                served = try await serving(box, insteadOf: served.pid, within: .seconds(10))
            }
            kill(try box.playback().pid, SIGSTOP)
            served = try await serving(box, insteadOf: served.pid, within: .seconds(60))
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
            #expect(try await serving(box, within: .seconds(20)).pid == served.pid, "adopted")
            #expect(try await box.stop() == .exited(0))
        }
    }

    @Test("/metrics says what status says")
    func metrics() async throws {
        try await withServedBox { box in
            let listen = try await serving(box, within: .seconds(20)).listen ?? ""
            let before = try await box.status()
            // It is told every 2 s.
            let page = try await eventually("news of cvrd", every: .milliseconds(500)) {
                let found = Metrics(try await Web.get("http://\(listen)/metrics").text)
                return found["cvr_supervisor_uptime_seconds"].map { $0 >= before.uptime } == true ? found : nil
            }
            let after = try await box.status()
            for (old, new) in zip(before.cameras, after.cameras) {
                let label = "{camera=\"\(old.name)\"}"
                #expect(page["cvr_camera_state{camera=\"\(old.name)\",state=\"recording\"}"] == 1)
                #expect(page["cvr_camera_sessions_total" + label] == Double(old.session))
                #expect(page["cvr_camera_restarts_total" + label] == 0)
                #expect(page["cvr_cache_budget_bytes" + label] == Double(old.cacheBudgetBytes))
                let frames = Double(old.framesReceived)...Double(new.framesReceived)
                #expect(page["cvr_camera_frames_received_total" + label].map(frames.contains) == true)
                let node = page.values.first {
                    $0.key.hasPrefix("lva_received_bytes_total") && $0.key.contains(old.name)
                }
                let bytes = Double(old.bytesReceived ?? 0)...Double(new.bytesReceived ?? 0)
                #expect(node.map { bytes.contains($0.value) } == true, "\(String(describing: node))")
                let coverage = try #require(page["cvr_camera_coverage_ratio" + label])
                #expect(coverage > 0 && coverage < 0.1, "recorded for a moment of the day: \(coverage)")
            }
            let writes = Double(before.sync.writes)...Double(after.sync.writes)
            #expect(page["cvr_sync_writes_total"].map(writes.contains) == true)
            #expect(page["cvr_sync_up"] == 1 && page["cvr_sync_breaker_open"] == 0 && page["cvr_supervisor_up"] == 1)
        }
    }

    @Test("cvr-preview, all that it may start, makes a picture within its sandbox")
    func previews() async throws {
        try await withServedBox { box in
            let listen = try await serving(box, within: .seconds(20)).listen ?? ""
            let first = try #require(try await box.segments(of: "front").first)
            let picture = try await eventually("a picture", within: .seconds(20)) {
                let found = try await Web.get("http://\(listen)/preview/front.jpg?time=\(first.start)&width=160")
                return found.status == 200 ? found : nil
            }
            #expect(picture.body.starts(with: [0xFF, 0xD8, 0xFF]) && picture.body.count > 500)
        }
    }

    /// Samples by name and labels.
    private struct Metrics {
        var values: [String: Double] = [:]

        init(_ text: String) {
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                guard let space = line.lastIndex(of: " ") else { continue }
                values[String(line[..<space])] = Double(line[space...].dropFirst())
            }
        }

        subscript(name: String) -> Double? { values[name] }
    }
}
