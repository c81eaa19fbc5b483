import Foundation
import Messages
import TestSupport
import Testing

@Suite("What cvr-playback tells, and what it does not", .showsEvidence, .timeLimit(.minutes(10)))
struct PlaybackStatusTests {
    @Test("/metrics says what status says, of each name: after kills, with a backlog and with a stopped camera")
    func metrics() async throws {
        try await PlaybackKillTests.withServedBox { box in
            let listen = try await PlaybackKillTests.serving(box, within: .seconds(20)).listen ?? ""
            for _ in 1...2 {
                let worker = try box.worker(of: "front")
                kill(worker.pid, SIGKILL)
                try await eventually("another worker", within: .seconds(30)) {
                    let front = try await box.status(of: "front")
                    return front.pid != Int64(worker.pid) && front.state == "recording" ? true : nil
                }
            }
            #expect(try await box.run(["sync", "pause"]).ending == .exited(0))
            #expect(try await box.run(["camera", "stop", "yard"]).ending == .exited(0))
            try await eventually("a backlog", within: .seconds(30)) {
                try await box.status(of: "front").pendingSegments > 2 ? true : nil
            }
            // What changed twice between two looks is looked at again.
            var differences = ["none looked for"]
            for _ in 0..<15 where !differences.isEmpty { differences = try await Self.differences(box, listen) }
            #expect(differences.isEmpty, "\(differences)")
            let front = try await box.status(of: "front")
            #expect(front.restarts == 2 && front.session > 2 && !front.troubles.isEmpty && front.pendingBytes > 0)
            #expect(
                (front.fsyncs ?? 0) > 10 && (front.fsyncP99 ?? 0) > 0 && (front.fsyncTime ?? 0) > (front.fsyncP99 ?? 0))
            let page = Metrics(try await Web.get("http://\(listen)/metrics").text)
            let coverage = try #require(page["cvr_camera_coverage_ratio{camera=\"front\"}"])
            #expect(coverage > 0 && coverage < 0.1, "recorded for a moment of the day: \(coverage)")
        }
    }

    /// What a page of /metrics says otherwise than the status of just before and of just after it was told.
    private static func differences(_ box: Box, _ listen: String) async throws -> [String] {
        var looks: [Admin.Status] = []
        var page = Metrics("")
        // It is told every 2 s.
        for _ in 0..<40 {
            looks.append(try await box.status())
            page = Metrics(try await Web.get("http://\(listen)/metrics").text)
            if let told = page["cvr_supervisor_uptime_seconds"], let first = looks.first, told > first.uptime { break }
        }
        looks.append(try await box.status())
        let told = page["cvr_supervisor_uptime_seconds"] ?? 0
        guard let before = looks.last(where: { $0.uptime <= told }),
            let after = looks.first(where: { $0.uptime >= told })
        else { return ["no status beside \(told)"] }
        let (least, most) = (Metrics(before), Metrics(after))
        var found: [String] = []
        // What only cvr-playback itself knows has other tests.
        let own = ["cvr_build_info", "cvr_playback_", "cvr_camera_coverage_ratio"]
        let names = Set(page.values.keys.filter { name in !own.contains { name.hasPrefix($0) } })
        found += names.symmetricDifference(least.values.keys).intersection(names.symmetricDifference(most.values.keys))
            .sorted()
        for name in names {
            guard let low = least[name], let high = most[name], let said = page[name] else { continue }
            let slack = name.contains("_age_") || name.contains("_lag_") || name.contains("_eviction_") ? 1.5 : 0
            if said < min(low, high) - slack || said > max(low, high) + slack {
                found.append("\(name) \(said): \(low) \(high)")
            }
        }
        return found
    }

    @Test("passwords and keys are in no log, no answer, no argument and no environment")
    func secrets() async throws {
        let (password, signing) = ("canary-\(UUID().uuidString)", "canary-key-\(UUID().uuidString)")
        let folder = FileManager.default.temporaryDirectory.path + "/secrets-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // one that stays harms no test
        for (name, text) in [("password", password), ("signing", signing)] {
            #expect(
                FileManager.default.createFile(
                    atPath: "\(folder)/\(name)", contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
        }
        let access = [
            "accounts: { guard: { credential: \(folder)/password, cameras: [front] } }", "signing: \(folder)/signing",
        ]
        try await PlaybackKillTests.withServedBox(access) { box in
            let served = try await PlaybackKillTests.serving(box, within: .seconds(20))
            let base = "http://\(served.listen ?? "")"
            let basic = { (secret: String) in
                [(name: "Authorization", value: "Basic " + Data("guard:\(secret)".utf8).base64EncodedString())]
            }
            var said = ""
            for (path, secret, status) in [
                ("/cameras", password, 200), ("/cameras", password + "x", 401), ("/metrics", password, 403),
                ("/coverage?camera=yard", password, 403), ("/list?path=front", password, 200),
                ("/sign?camera=front&from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z", password, 200),
                ("/cameras?token=\(password)", "", 401), ("/cameras?signature=\(signing)", "", 401),
            ] {
                let answer = try await Web.get(base + path, secret.isEmpty ? [] : basic(secret))
                #expect(answer.status == status, "\(path)")
                said += answer.text
            }
            // Ends that are told: by a signal, and with words of its own.
            kill(try box.playback().pid, SIGABRT)
            _ = try await PlaybackKillTests.serving(box, insteadOf: served.pid, within: .seconds(20))
            try Data(said.utf8).write(to: URL(filePath: "\(box.root)/log/answers"))
            for secret in [password, signing] {
                let traces = try await box.traces(of: secret, user: "guard", cameras: ["front"], except: [])
                #expect(traces.isEmpty, "\(traces)")
            }
        }
    }
}

/// Samples of /metrics by name and labels.
private struct Metrics {
    var values: [String: Double] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            values[String(line[..<space])] = Double(line[space...].dropFirst())
        }
    }

    subscript(name: String) -> Double? { values[name] }

    /// As it has to be told of a status, name by name.
    init(_ status: Admin.Status) {
        let sync = status.sync
        values = [
            "cvr_supervisor_up": 1, "cvr_supervisor_uptime_seconds": status.uptime,
            "cvr_sync_up": sync.state == "away" ? 0 : 1, "cvr_sync_writes_total": Double(sync.writes),
            "cvr_sync_retries_total": Double(sync.retries), "cvr_sync_upload_lag_seconds": sync.lag,
            "cvr_sync_breaker_open": sync.breaker == "closed" ? 0 : 1,
        ]
        let box = "iothub=\"\",edge_device=\"test\",module_name=\"cvr\",graph_topology=\"cvr-asset\""
        values["lva_active_graph_instances{\(box)}"] = Double(status.cameras.count { $0.state != "stopped" })
        for camera in status.cameras {
            let node = "\(box),graph_instance=\"\(camera.name)\",graph_node=\"rtspSource\""
            values["lva_received_bytes_total{\(node)}"] = camera.bytesReceived.map { Double($0) }
            values["lva_data_dropped_total{\(node),data_kind=\"media\"}"] = Double(camera.anomalies)
            add(camera)
        }
    }

    private mutating func add(_ camera: Admin.Camera) {
        let label = "camera=\"\(camera.name)\""
        let states = ["starting", "recording", "reconnecting", "backingOff", "flapping", "stopped", "refused"]
        for state in states {
            values["cvr_camera_state{\(label),state=\"\(state)\"}"] = camera.state == state ? 1 : 0
        }
        for (reason, count) in camera.troubles {
            values["cvr_camera_troubles_total{\(label),reason=\"\(reason)\"}"] = Double(count)
        }
        let plain: [(String, Double?)] = [
            ("camera_sessions_total", camera.session > 0 ? Double(camera.session) : nil),
            ("camera_restarts_total", Double(camera.restarts)),
            ("camera_frames_received_total", Double(camera.framesReceived)),
            ("camera_bytes_per_second", camera.bitsPerSecond / 8),
            ("camera_frames_per_second", camera.framesPerSecond),
            ("camera_last_frame_age_seconds", camera.lastFrameAge), ("cache_bytes", Double(camera.cacheBytes)),
            ("cache_budget_bytes", Double(camera.cacheBudgetBytes)),
            ("backlog_segments", Double(camera.pendingSegments)), ("backlog_bytes", Double(camera.pendingBytes)),
            ("cache_eviction_seconds", camera.evictionIn), ("fsync_seconds_sum", camera.fsyncTime),
            ("fsync_seconds_count", camera.fsyncs.map { Double($0) }),
        ]
        for (name, value) in plain { values["cvr_\(name){\(label)}"] = value }
        values["cvr_fsync_seconds{\(label),quantile=\"0.99\"}"] = camera.fsyncP99
    }
}
