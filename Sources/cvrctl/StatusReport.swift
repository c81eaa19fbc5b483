import Messages
import Recording

/// `status` in words: what is wrong comes first, and says what to do next.
struct StatusReport {
    let status: Admin.Status
    let now: WallTime

    func text(for terminal: Terminal) -> String {
        guard !status.cameras.isEmpty else {
            return "No cameras; \(sync)\(playback)\(gateway).\nAdd one: cvrctl camera add NAME --url rtsp://HOST/PATH\n"
                + faults(terminal)
        }
        let whole = "\(summary); cvrd \(status.version), up \(Quantity.duration(status.uptime.rounded(.down)))"
        return wrapped(whole.count > terminal.columns ? summary : whole, at: terminal.columns, indent: 2)
            + "\n" + table.text(for: terminal) + forecast(terminal) + unverified(terminal) + unconfined(terminal)
            + faults(terminal)
    }

    private var summary: String {
        let said = cameras.map(state)
        var counts: [(state: String, count: Int)] = []
        for state in said where state != CameraState.recording.rawValue {
            if let index = counts.firstIndex(where: { $0.state == state }) {
                counts[index].count += 1
            } else {
                counts.append((state, 1))
            }
        }
        let recording = said.count { $0 == CameraState.recording.rawValue }
        let others = counts.map { ", \($0.count) \(words($0.state))" }.joined()
        return "\(recording) of \(cameras.count) recording\(others); \(sync)\(playback)\(gateway)"
    }

    /// What there is to say of cvr-gateway, after a semicolon.
    private var gateway: String {
        guard let gateway = status.gateway, gateway.state != "off" else { return "" }
        let away = gateway.consumers.filter { $0.state == "away" }
        let waiting = away.map { "\($0.name) away, \($0.waiting) events wait" }
        let refused = (gateway.refusedInputs ?? 0) > 0 ? ["\(gateway.refusedInputs ?? 0) messages refused"] : []
        return "; gateway \(([gateway.state] + waiting + refused).joined(separator: ", "))"
    }

    /// What there is to say of cvr-playback, after a semicolon.
    private var playback: String {
        guard let playback = status.playback, playback.state != "off" else { return "" }
        guard playback.state == "running", let listen = playback.listen else { return "; playback \(playback.state)" }
        let viewers = playback.viewers == 0 ? "" : ", \(playback.viewers) viewer\(playback.viewers == 1 ? "" : "s")"
        return "; playback at \(listen)\(viewers)"
    }

    private var sync: String {
        let segments = cameras.reduce(Int64(0)) { $0.addingSaturated($1.pendingSegments) }
        let bytes = cameras.reduce(Int64(0)) { $0.addingSaturated($1.pendingBytes) }
        let pending =
            segments == 0
            ? "nothing pending" : "\(segments) segment\(segments == 1 ? "" : "s") (\(Quantity.bytes(bytes))) pending"
        let lag = segments > 0 && status.sync.lag > 0 ? ", lag \(Quantity.duration(status.sync.lag))" : ""
        let breaker = status.sync.breaker == "closed" ? "" : ", store not reached"
        return status.sync.state == "away"
            ? "sync away" : "sync \(words(status.sync.state)), \(pending)\(lag)\(breaker)"
    }

    /// `backingOff` → `backing off`.
    private func words(_ state: String) -> String {
        state.map { $0.isUppercase ? " \($0.lowercased())" : "\($0)" }.joined()
    }

    /// What a camera does, as its instance has it: a gate that is closed records nothing until an event comes, and one that
    /// is deactivated may still have footage to store.
    private func state(_ camera: Admin.Camera) -> String {
        if camera.graph?.state == "Deactivating" { return "deactivating" }
        let isWaiting = camera.state == CameraState.recording.rawValue && camera.graph?.gate == "closed"
        return isWaiting ? "waiting" : camera.state
    }

    /// Problems first, then by name.
    private var cameras: [Admin.Camera] {
        status.cameras.sorted {
            (Self.urgency($0.state), $0.state, $0.name) < (Self.urgency($1.state), $1.state, $1.name)
        }
    }

    /// 0 is a state that this build does not know.
    private static func urgency(_ state: String) -> Int {
        switch CameraState(rawValue: state) {
        case nil: 0
        case .refused: 1
        case .flapping: 2
        case .backingOff: 3
        case .reconnecting: 4
        case .starting: 5
        case .recording: 6
        case .stopped: 7
        }
    }

    private var table: Table {
        var table = Table([
            .init(title: "CAMERA"), .init(title: "STATE"), .init(title: "SINCE", alignsRight: true),
            .init(title: "VIDEO", dispensability: 2), .init(title: "RATE", alignsRight: true, dispensability: 4),
            .init(title: "FRAME", alignsRight: true), .init(title: "SESSION", alignsRight: true, dispensability: 7),
            .init(title: "RESTARTS", alignsRight: true, dispensability: 6),
            .init(title: "CACHE", alignsRight: true, dispensability: 1),
            .init(title: "PENDING", alignsRight: true, dispensability: 3),
            .init(title: "OLDEST", alignsRight: true, dispensability: 5),
        ])
        for camera in cameras {
            table.add(cells(camera), isAlarming: Self.urgency(camera.state) < 5)
        }
        return table
    }

    private func cells(_ camera: Admin.Camera) -> [String] {
        let size = camera.width > 0 ? " \(camera.width)x\(camera.height)" : ""
        let rate = camera.framesPerSecond > 0 ? "@" + Quantity.decimal(camera.framesPerSecond, places: 0) : ""
        let pending = camera.pendingSegments == 0 ? "" : " " + Quantity.bytes(camera.pendingBytes)
        return [
            camera.name + (camera.unverifiedTLS ? "*" : ""), words(state(camera)), Quantity.age(camera.since, at: now),
            camera.codec.isEmpty ? "–" : camera.codec + size + rate, Quantity.rate(camera.bitsPerSecond),
            camera.lastFrameAge.map(Quantity.duration) ?? "–", "\(camera.session)", "\(camera.restarts)",
            camera.cacheBudgetBytes == 0
                ? Quantity.bytes(camera.cacheBytes)
                : "\(Quantity.bytes(camera.cacheBytes))/\(Quantity.bytes(camera.cacheBudgetBytes))",
            "\(camera.pendingSegments)\(pending)", Quantity.age(camera.oldestLocal, at: now),
        ]
    }

    /// Cameras whose footage will not wait for the store much longer, together where it is at the same time.
    private func forecast(_ terminal: Terminal) -> String {
        let near = cameras.compactMap { camera in camera.evictionIn.map { (camera, $0) } }
        let said = Dictionary(grouping: near) { camera, seconds in
            (camera.cacheFull == "stopRecording" ? "recording stops" : "un-uploaded footage starts to be evicted")
                + " in \(Quantity.duration(seconds.rounded(.down)))"
        }
        let order = said.sorted { ($0.value.map(\.1).min() ?? 0, $0.key) < ($1.value.map(\.1).min() ?? 0, $1.key) }
        return order.map { text, cameras in
            let names = cameras.map(\.0.name).joined(separator: ", ")
            return wrapped("! \(names): at this rate \(text).", at: terminal.columns, indent: 2)
        }.joined()
    }

    private func unverified(_ terminal: Terminal) -> String {
        guard cameras.contains(where: \.unverifiedTLS) else { return "" }
        let note = "* rtsps without verification: anyone in between can pose as this camera (tls: { verify: none })."
        return wrapped(note, at: terminal.columns, indent: 2)
    }

    /// Processes that could not shut themselves in, together where it is for the same reason.
    private func unconfined(_ terminal: Terminal) -> String {
        let prefix = "degraded: "
        var said =
            cameras.map { ($0.name, $0.sandbox) }
            + [
                ("sync", status.sync.sandbox), ("playback", status.playback?.sandbox),
                ("gateway", status.gateway?.sandbox),
            ]
        said.removeAll { $0.1?.hasPrefix(prefix) != true }
        return Dictionary(grouping: said) { $0.1 ?? "" }.sorted { $0.key < $1.key }.map { text, processes in
            let names = processes.map(\.0).joined(separator: ", ")
            return wrapped(
                "! sandbox of \(names) incomplete: \(text.dropFirst(prefix.count)). See cvrctl doctor.",
                at: terminal.columns, indent: 2)
        }.joined()
    }

    private func faults(_ terminal: Terminal) -> String {
        var lines = cameras.compactMap { camera in camera.lastError.map { (camera.name, $0) } }
        if let fault = status.sync.lastError { lines.append(("sync", fault)) }
        if let fault = status.playback?.lastError { lines.append(("playback", fault)) }
        if let fault = status.gateway?.lastError { lines.append(("gateway", fault)) }
        for consumer in status.gateway?.consumers ?? [] {
            if let fault = consumer.lastError { lines.append((consumer.name, fault)) }
        }
        if lines.isEmpty { return "" }
        return "\n"
            + lines.map { name, fault in
                let age = fault.time.map { " (\(Quantity.age($0, at: now)) ago)" } ?? ""
                return wrapped(
                    "\(name)\(age): \(sentence(fault.message)) \(sentence(fault.nextStep))", at: terminal.columns,
                    indent: 2)
            }.joined()
    }
}
