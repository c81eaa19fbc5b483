import Foundation
import Messages
import Playback
import TestSupport
import Testing

/// The tool's path: `contrib/test --all` gets it.
private let promtool = ProcessInfo.processInfo.environment["CVR_PROMTOOL"]

/// contrib/grafana and /metrics as Prometheus's own tool reads them.
@Suite("Alert rules", .timeLimit(.minutes(1)), .enabled(if: promtool != nil, "CVR_PROMTOOL is not set"))
struct AlertRuleTests {
    private static let folder = Repository.path("contrib/grafana")

    private func check(_ arguments: [String], input: String = "") async throws {
        let done = try await run(try #require(promtool), arguments, input: input)
        #expect(done.ending == .exited(0) && !done.text.contains("FAILED"), "\(done.text)\(done.errors)")
    }

    @Test("fire when they should and not otherwise, by promtool's own tests")
    func rules() async throws {
        try await check(["check", "rules", "\(Self.folder)/alerts.yaml"])
        try await check(["test", "rules", "\(Self.folder)/alerts-test.yaml"])
    }

    @Test("the example of a configuration is one, and its job is that of the rules")
    func configuration() async throws {
        let file = "\(Self.folder)/prometheus.yaml"
        // Passwords and certificates are where it is used.
        try await check(["check", "config", "--syntax-only", file])
        let job = try #require(
            try String(contentsOfFile: file, encoding: .utf8).firstMatch(of: /job_name: (\w+)/)?.output.1)
        #expect(
            try String(contentsOfFile: "\(Self.folder)/alerts.yaml", encoding: .utf8).contains("up{job=\"\(job)\"}"))
    }

    @Test("what /metrics says is found well-formed")
    func format() async throws {
        var camera = Admin.Camera(name: "front", state: "recording", since: "2026-11-23T08:00:00.000Z")
        (camera.bytesReceived, camera.lastFrameAge, camera.evictionIn) = (1, 0.5, 3600)
        (camera.fsyncs, camera.fsyncTime, camera.fsyncP99) = (2, 0.5, 0.25)
        (camera.session, camera.troubles) = (1, ["a\"b\\c\nd": 1])
        let status = Admin.Status(version: "1", uptime: 1, cameras: [camera], sync: Admin.Sync(state: "idle"))
        let own = BoxMetrics.Own(site: "p", viewers: 1, certificateEnd: 1, coverage: ["front": 1])
        try await check(["check", "metrics"], input: BoxMetrics.text(status, own))
    }
}
