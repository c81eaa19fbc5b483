package import Messages
import Recording

/// `/metrics`: what `cvrctl --json status` says, as Prometheus reads it; LVA's three names first.
package struct BoxMetrics {
    /// What only this process knows.
    package struct Own: Sendable {
        package var site: String
        /// It has a store alone: no cvrd reports to it.
        package var isReplica: Bool
        package var viewers: Int64
        /// Seconds since 1970.
        package var certificateEnd: Int64?
        /// Share of the last 24 hours that was recorded, by camera.
        package var coverage: [String: Double]

        package init(
            site: String, isReplica: Bool = false, viewers: Int64 = 0, certificateEnd: Int64? = nil,
            coverage: [String: Double] = [:]
        ) {
            self.site = site
            self.isReplica = isReplica
            self.viewers = viewers
            self.certificateEnd = certificateEnd
            self.coverage = coverage
        }
    }

    private typealias Sample = MetricsText.Sample

    private let own: Own
    private var metrics = MetricsText()

    /// `status` is nil while cvrd is away, and in a replica.
    package static func text(_ status: Admin.Status?, _ own: Own) -> String {
        var page = BoxMetrics(own: own)
        if let status {
            page.addLVA(status)
            page.addCameras(status.cameras)
            page.addCaches(status.cameras)
            page.addSync(status.sync)
            page.addGateway(status.gateway)
        }
        page.addOwn(status)
        return page.metrics.text
    }

    private init(own: Own) { self.own = own }

    // MARK: LVA

    /// With LVA's labels; what has no counterpart here is empty.
    private mutating func addLVA(_ status: Admin.Status) {
        let builtIn = "cvr-asset"
        let labels = { [own] (topology: String) in
            [("iothub", ""), ("edge_device", own.site), ("module_name", "cvr"), ("graph_topology", topology)]
        }
        var active = [builtIn: Int64(0)]
        for camera in status.cameras {
            let counts = camera.state != CameraState.stopped.rawValue
            active[camera.graph?.topology ?? builtIn, default: 0] += counts ? 1 : 0
        }
        metrics.add(
            "lva_active_graph_instances", .gauge, "Cameras that are to be recorded.",
            active.sorted { $0.key < $1.key }.map { Sample($0.value, labels($0.key)) })
        let node = { (camera: Admin.Camera) in
            labels(camera.graph?.topology ?? builtIn)
                + [("graph_instance", camera.graph?.instance ?? camera.name), ("graph_node", "rtspSource")]
        }
        metrics.add(
            "lva_received_bytes_total", .counter, "Bytes of media that a camera sent, since its worker started.",
            status.cameras.compactMap { camera in camera.bytesReceived.map { Sample($0, node(camera)) } })
        metrics.add(
            "lva_data_dropped_total", .counter,
            "Frames that were dropped or whose time was repaired, since the worker started.",
            status.cameras.map { Sample($0.anomalies, node($0) + [("data_kind", "media")]) })
    }

    // MARK: Cameras

    private mutating func addCameras(_ cameras: [Admin.Camera]) {
        metrics.add(
            "cvr_camera_state", .gauge, "1 for the state that a camera is in, as cvrctl(8) lists them.",
            cameras.flatMap { camera in
                CameraState.allCases.map { state in
                    Sample(camera.state == state.rawValue, label(camera) + [("state", state.rawValue)])
                }
            })
        // Without a worker its number is not known; 0 would be read as a counter that begins anew.
        metrics.add(
            "cvr_camera_sessions_total", .counter, "Sessions so far: each but the first is a reconnect.",
            cameras.filter { $0.session > 0 }.map { Sample($0.session, label($0)) })
        add("cvr_camera_restarts_total", .counter, "Unordered restarts of its worker, since cvrd started.", cameras) {
            $0.restarts
        }
        add("cvr_camera_frames_received_total", .counter, "Frames received, since its worker started.", cameras) {
            $0.framesReceived
        }
        metrics.add(
            "cvr_camera_troubles_total", .counter,
            "What went wrong, by cvrctl's codes and reasons, since cvrd started.",
            cameras.flatMap { camera in
                camera.troubles.sorted { $0.key < $1.key }.map {
                    Sample($0.value, label(camera) + [("reason", $0.key)])
                }
            })
        metrics.add(
            "cvr_camera_bytes_per_second", .gauge, "What it sent lately.",
            cameras.map { Sample($0.bitsPerSecond / 8, label($0)) })
        metrics.add(
            "cvr_camera_frames_per_second", .gauge, "What it sent lately.",
            cameras.map { Sample($0.framesPerSecond, label($0)) })
        metrics.add(
            "cvr_camera_last_frame_age_seconds", .gauge, "Time since the last frame.",
            cameras.compactMap { camera in camera.lastFrameAge.map { Sample($0, label(camera)) } })
        metrics.add(
            "cvr_camera_coverage_ratio", .gauge,
            "Share of the last 24 hours that is recorded, or that no event asked for.",
            own.coverage.sorted { $0.key < $1.key }.map { Sample($0.value, [("camera", $0.key)]) })
    }

    private mutating func addCaches(_ cameras: [Admin.Camera]) {
        add("cvr_cache_bytes", .gauge, "Footage of a camera in its cache.", cameras) { $0.cacheBytes }
        add("cvr_cache_budget_bytes", .gauge, "What the cache may hold.", cameras) { $0.cacheBudgetBytes }
        add("cvr_backlog_segments", .gauge, "Closed segments that the store does not have yet.", cameras) {
            $0.pendingSegments
        }
        add("cvr_backlog_bytes", .gauge, "Their bytes.", cameras) { $0.pendingBytes }
        metrics.add(
            "cvr_cache_eviction_seconds", .gauge,
            "Time until footage that the store does not have is evicted, at the rates of now.",
            cameras.compactMap { camera in camera.evictionIn.map { Sample($0, label(camera)) } })
        metrics.add(
            "cvr_fsync_seconds",
            "What the disk takes to make a camera's footage durable: 0.99 of the last minutes, all since its worker started.",
            cameras.compactMap { camera in
                guard let count = camera.fsyncs, let sum = camera.fsyncTime else { return nil }
                return (
                    p99: camera.fsyncP99.map { Sample($0, label(camera)) }, sum: Sample(sum, label(camera)),
                    count: Sample(count, label(camera))
                )
            })
    }

    private mutating func addSync(_ sync: Admin.Sync) {
        metrics.add("cvr_sync_up", .gauge, "1 while cvr-sync does its work.", [Sample(sync.state != "away")])
        metrics.add(
            "cvr_sync_writes_total", .counter, "Objects written, since cvr-sync started.", [Sample(sync.writes)])
        metrics.add("cvr_sync_retries_total", .counter, "Attempts repeated, since then.", [Sample(sync.retries)])
        metrics.add(
            "cvr_sync_upload_lag_seconds", .gauge, "Time that the oldest closed segment has waited for its upload.",
            [Sample(sync.lag)])
        metrics.add(
            "cvr_sync_breaker_open", .gauge, "1 while the store is not reached.", [Sample(sync.breaker != "closed")])
    }

    private mutating func addGateway(_ gateway: Admin.Gateway?) {
        guard let gateway, gateway.state != "off" else { return }
        metrics.add(
            "cvr_gateway_up", .gauge, "1 while cvr-gateway does its work.", [Sample(gateway.state == "running")])
        metrics.add(
            "cvr_gateway_events_waiting", .gauge, "Events of media graphs that a receiver has not taken.",
            gateway.consumers.map { Sample($0.waiting, [("receiver", $0.name)]) })
    }

    // MARK: Ourselves

    private mutating func addOwn(_ status: Admin.Status?) {
        metrics.add(
            "cvr_build_info", .gauge, "1; its label is the release.",
            [Sample(Int64(1), [("version", Release.version), ("site", own.site)])])
        metrics.add(
            "cvr_supervisor_up", .gauge, "1 while cvrd reports; of a box.", own.isReplica ? [] : [Sample(status != nil)]
        )
        metrics.add(
            "cvr_supervisor_uptime_seconds", .gauge, "Time since cvrd started.",
            status.map { [Sample($0.uptime)] } ?? [])
        metrics.add("cvr_playback_viewers", .gauge, "Requests that are being answered.", [Sample(own.viewers)])
        metrics.add(
            "cvr_playback_certificate_end_timestamp_seconds", .gauge, "When the certificate ends.",
            own.certificateEnd.map { [Sample($0)] } ?? [])
    }

    private func label(_ camera: Admin.Camera) -> [(name: String, value: String)] { [("camera", camera.name)] }

    private mutating func add(
        _ name: String, _ kind: MetricsText.Kind, _ help: String, _ cameras: [Admin.Camera],
        _ value: (Admin.Camera) -> Int64
    ) {
        metrics.add(name, kind, help, cameras.map { Sample(value($0), label($0)) })
    }
}
