import Footage
import Foundation
import Messages
import Playback
import Recording
import TestSupport
import Testing

@Suite("Playback: metrics")
struct MetricsTests {
    private static var status: Admin.Status {
        var front = Admin.Camera(name: "front", state: "recording", since: "2026-11-23T08:00:00.000Z")
        front.session = 3
        front.restarts = 2
        front.framesReceived = 9_007_199_254_740_993
        front.bytesReceived = 12_345
        front.bitsPerSecond = 2_000_000.5
        front.lastFrameAge = 0.04
        front.anomalies = 7
        (front.fsyncs, front.fsyncTime, front.fsyncP99) = (900, 4.5, 0.012)
        front.cacheBytes = 1024
        front.cacheBudgetBytes = 4096
        front.pendingSegments = 5
        front.pendingBytes = 500
        front.troubles = ["networkLoss": 4]
        var sync = Admin.Sync(state: "idle")
        (sync.writes, sync.retries, sync.lag, sync.breaker) = (12, 1, 2.5, "open")
        let yard = Admin.Camera(name: "yard", state: "stopped", since: "2026-11-23T08:00:00.000Z")
        var gateway = Admin.Gateway(state: "running")
        gateway.consumers = [Admin.EventReceiver(name: "mqtt", state: "away", waiting: 8)]
        return Admin.Status(version: "1", uptime: 60.5, cameras: [front, yard], sync: sync, gateway: gateway)
    }

    private func lines(_ status: Admin.Status?, _ own: BoxMetrics.Own = .init(site: "plant-7")) -> [Substring] {
        BoxMetrics.text(status, own).split(separator: "\n")
    }

    @Test("LVA's three names have its labels and the status's values")
    func lva() {
        let found = lines(Self.status)
        let box = "iothub=\"\",edge_device=\"plant-7\",module_name=\"cvr\",graph_topology=\"cvr-asset\""
        let front = "\(box),graph_instance=\"front\",graph_node=\"rtspSource\""
        #expect(found.contains("lva_active_graph_instances{\(box)} 1"))
        #expect(found.contains("lva_received_bytes_total{\(front)} 12345"))
        #expect(found.contains("lva_data_dropped_total{\(front),data_kind=\"media\"} 7"))
        #expect(!found.contains { $0.hasPrefix("lva_received_bytes_total") && $0.contains("yard") }, "it has no worker")
    }

    @Test("an instance of a media graph is counted under its topology and its own name")
    func instances() {
        var status = Self.status
        status.cameras[0].graph = Admin.GraphState(
            instance: "Front", topology: "Clips", state: "Active", gate: "closed")
        let found = lines(status)
        let box = "iothub=\"\",edge_device=\"plant-7\",module_name=\"cvr\""
        #expect(found.contains("lva_active_graph_instances{\(box),graph_topology=\"Clips\"} 1"))
        #expect(found.contains("lva_active_graph_instances{\(box),graph_topology=\"cvr-asset\"} 0"))
        let node = "\(box),graph_topology=\"Clips\",graph_instance=\"Front\",graph_node=\"rtspSource\""
        #expect(found.contains("lva_received_bytes_total{\(node)} 12345"))
    }

    @Test("ours are what status says, to the last digit")
    func ours() {
        let found = lines(
            Self.status, .init(site: "p", viewers: 2, certificateEnd: 1_800_000_000, coverage: ["front": 0.5]))
        for line in [
            "cvr_camera_state{camera=\"front\",state=\"recording\"} 1",
            "cvr_camera_state{camera=\"yard\",state=\"recording\"} 0", "cvr_camera_sessions_total{camera=\"front\"} 3",
            "cvr_camera_restarts_total{camera=\"front\"} 2",
            "cvr_camera_frames_received_total{camera=\"front\"} 9007199254740993",
            "cvr_camera_bytes_per_second{camera=\"front\"} 250000.0625",
            "cvr_camera_last_frame_age_seconds{camera=\"front\"} 0.04",
            "cvr_camera_troubles_total{camera=\"front\",reason=\"networkLoss\"} 4",
            "cvr_camera_coverage_ratio{camera=\"front\"} 0.5", "cvr_cache_bytes{camera=\"front\"} 1024",
            "cvr_cache_budget_bytes{camera=\"front\"} 4096", "cvr_backlog_segments{camera=\"front\"} 5",
            "cvr_backlog_bytes{camera=\"front\"} 500", "cvr_sync_up 1", "cvr_sync_writes_total 12",
            "cvr_fsync_seconds{camera=\"front\",quantile=\"0.99\"} 0.012",
            "cvr_fsync_seconds_sum{camera=\"front\"} 4.5", "cvr_fsync_seconds_count{camera=\"front\"} 900",
            "cvr_sync_retries_total 1", "cvr_sync_upload_lag_seconds 2.5", "cvr_sync_breaker_open 1",
            "cvr_gateway_up 1", "cvr_gateway_events_waiting{receiver=\"mqtt\"} 8", "cvr_supervisor_up 1",
            "cvr_supervisor_uptime_seconds 60.5", "cvr_playback_viewers 2",
            "cvr_playback_certificate_end_timestamp_seconds 1800000000",
        ] { #expect(found.contains(Substring(line)), "\(line)") }
        #expect(!found.contains { $0.hasPrefix("cvr_cache_eviction_seconds") }, "never is no number")
        let sessions = found.filter { $0.hasPrefix("cvr_camera_sessions_total") }
        #expect(sessions.count == 1, "yard's worker is stopped: its next session is not one more than 0")
    }

    @Test("each name has its HELP and TYPE once, right before its samples")
    func shape() {
        var current: Substring = ""
        var kind: Substring = ""
        var seen: Set<Substring> = []
        for line in lines(Self.status) {
            if line.hasPrefix("# HELP ") {
                current = line.split(separator: " ")[2]
                #expect(seen.insert(current).inserted, "\(current)")
            } else if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                kind = words[3]
                #expect(words[2] == current && (words[3] == "counter") == current.hasSuffix("_total"), "\(line)")
            } else {
                let name = line.prefix { $0 != " " && $0 != "{" }
                let others = kind == "summary" ? ["_sum", "_count"] : []
                #expect(name == current || others.contains { name == current + $0 }, "\(line)")
            }
        }
    }

    @Test("what a name or a reason holds breaks no line")
    func escapes() {
        var status = Self.status
        status.cameras[0].troubles = ["a\"b\\c\nd": 1]
        let found = lines(status)
        #expect(found.contains("cvr_camera_troubles_total{camera=\"front\",reason=\"a\\\"b\\\\c\\nd\"} 1"))
    }

    @Test("a replica, and a box whose cvrd is away, tell of themselves")
    func alone() {
        let found = lines(nil)
        #expect(found.contains("cvr_supervisor_up 0") && found.contains("cvr_playback_viewers 0"))
        #expect(!found.contains { $0.hasPrefix("lva_") || $0.hasPrefix("cvr_camera") })
        let replica = lines(nil, .init(site: "p", isReplica: true))
        #expect(!replica.contains { $0.contains("cvr_supervisor_up") } && replica.contains("cvr_playback_viewers 0"))
    }

    @Test("what a closed gate left out is no loss, as far as it is asked for")
    func unasked() throws {
        let site = try RecordedSite()
        let time = { (second: Int64) in RecordedSite.start + .seconds(second) }
        let gaps: [(Int64, Int64?, GapReason)] = [
            (10, 20, .gateClosed), (30, 40, .networkLoss), (50, nil, .gateClosed),
        ]
        for (from, to, reason) in gaps {
            try site.tell(Gap(from: time(from), to: to.map(time), reason: reason, detail: ""))
        }
        let archive = try site.archive()
        let camera = try #require(try archive.cameras().first)
        let found = try archive.unasked(camera, from: time(15), to: time(60))
        #expect(found.map(\.start) == [time(15), time(50)] && found.map(\.end) == [time(20), time(60)], "\(found)")
    }

    @Test("rules and the dashboard name nothing that /metrics does not say")
    func names() throws {
        var camera = Admin.Camera(name: "front", state: "recording", since: "2026-11-23T08:00:00.000Z")
        (camera.bytesReceived, camera.lastFrameAge, camera.evictionIn) = (1, 0.5, 3600)
        (camera.fsyncs, camera.fsyncTime, camera.fsyncP99) = (2, 0.5, 0.25)
        (camera.session, camera.troubles) = (1, ["networkLoss": 1])
        let status = Admin.Status(version: "1", uptime: 1, cameras: [camera], sync: Admin.Sync(state: "idle"))
        let text = BoxMetrics.text(status, .init(site: "p", certificateEnd: 1, coverage: ["front": 1]))
        let said = Set(text.matches(of: /(?m)^# TYPE (\w+)/).map { String($0.output.1) })
        for file in ["alerts.yaml", "cvr.json"] {
            let asked = try String(contentsOfFile: Repository.path("contrib/grafana/\(file)"), encoding: .utf8)
                .matches(of: /\b(?:cvr|lva)_\w+/).map { String($0.output) }
            #expect(asked.count > 10)
            #expect(Set(asked).subtracting(said).sorted() == [], "\(file)")
        }
    }

    @Test("every rule has a test in which it fires and one in which it does not")
    func rulesTested() throws {
        let read = { (name: String) in
            try String(contentsOfFile: Repository.path("contrib/grafana/\(name)"), encoding: .utf8)
        }
        let rules = try read("alerts.yaml").matches(of: /- alert: (\w+)/).map { String($0.output.1) }
        let tests = try read("alerts-test.yaml")
        let firing = tests.matches(of: /alertname: (\w+)\s+exp_alerts:\n\s+- exp_labels/).map { String($0.output.1) }
        let silent = tests.matches(of: /alertname: (\w+), exp_alerts: \[\]/).map { String($0.output.1) }
        #expect(rules.count > 10 && Set(rules).count == rules.count)
        #expect(Set(firing) == Set(rules) && Set(silent) == Set(rules))
    }
}
