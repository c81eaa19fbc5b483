import Glibc
import Isolation
import Logging
package import Messages
import Recording
import YAMLConfiguration

/// What keepers, workers and cvr-sync tell, and what is made of it for an operator.
extension Supervisor {
    // MARK: Reports

    func keeper(of name: CameraName, reports report: Keeper.Report) async {
        switch report {
        case .status(let status):
            if status.pid != rows[name]?.kept?.pid { rows[name]?.forgetProcess() }
            rows[name]?.kept = status
            rows[name]?.refreshState()
            noteTries()
            noteEnd(of: name)
        case .happened(let type, let detail, let fault):
            if let fault { rows[name]?.count(fault.code) }
            events.append(type, camera: name, level: fault == nil ? nil : .warning, detail)
        }
    }

    func syncKeeper(reports report: Keeper.Report) {
        switch report {
        case .status(let status): sync?.take(status)
        case .happened(let type, let detail, let fault): note(type, detail, fault, of: "sync")
        }
    }

    func worker(_ name: CameraName, tells news: WorkerLink.News) async {
        switch news {
        case .said(let message):
            await worker(name, said: message)
            await note(message, of: name)
        case .credential(let fault): rows[name]?.credential = fault.map { NotedFault($0) }
        case .diskStalled(let fault):
            rows[name]?.stall = fault.map { NotedFault($0) }
            if let fault {
                rows[name]?.count(fault.code)
                events.append(fault.code, camera: name, "\(fault.message). \(fault.nextStep)")
            }
        }
    }

    private func worker(_ name: CameraName, said message: IngestToSupervisor) async {
        switch message {
        case .hello(let identity):
            rows[name]?.build = identity.build
            await notice(build: identity.build, of: surroundings.programs.ingest)
            let sandbox = SandboxWord(identity.sandbox)
            guard rows[name]?.sandbox != sandbox.text else { return }
            rows[name]?.sandbox = sandbox.text
            if let warning = sandbox.warning { events.append("sandboxDegraded", camera: name, warning) }
        case .progress(let progress):
            rows[name]?.progress = progress
            rows[name]?.progressAt = .now
            rows[name]?.refreshState()
            if progress.state != .recording { rows[name]?.recordingSince = nil }
            if progress.state == .recording, rows[name]?.recordingSince == nil { rows[name]?.recordingSince = .now }
            measure(name, progress)
        case .sessionStarted(let session, let time, _):
            events.append("sessionStarted", camera: name, at: time, "session \(session)")
        case .segmentClosed(let id, let start, let duration, let bytes):
            events.append(
                "segmentClosed", camera: name,
                "session \(id.session), segment \(id.counter), from \(start.rfc3339), \(duration.seconds) s, \(bytes) bytes"
            )
            await sync?.link.hint(name)
        case .gapOpened(let from, let reason, let detail):
            if !reason.isOfWorker { rows[name]?.count(reason.rawValue) }
            events.append(
                "gapOpened", camera: name, level: reason == .gateClosed ? .info : nil,
                "\(reason.rawValue) since \(from.rfc3339): \(detail)")
        case .gapClosed(let from, let to, let reason):
            events.append("gapClosed", camera: name, "\(reason.rawValue) from \(from.rfc3339) to \(to.rfc3339)")
        // Told as LVA has it.
        case .event("mediaSessionEstablished", _, _), .event("windowClosed", _, _): break
        case .event(let type, let time, let detail): events.append(type, camera: name, at: time, detail)
        case .readyToSucceed: break
        }
    }

    func sync(said news: SyncLink.News) async {
        switch news {
        case .status(let status):
            let (last, sandbox) = (sync?.status, sync?.sandbox)
            sync?.hear(status)
            caches = Dictionary(status.caches.map { ($0.name, $0) }) { first, _ in first }
            await greet(status, after: last, sandbox: sandbox, program: surroundings.programs.sync)
            note(status)
        case .refused(let fault): sync?.hear(refusal: fault)
        case .event(let event):
            events.append(event)
            note(event)
        }
    }

    // MARK: Answers

    /// True for a process that cvrd itself runs, and for whatever that started: it has no business on the admin socket
    /// (design §5).
    package func keeps(_ pid: Int32) -> Bool {
        // The adopted are nobody's children any more, and who was only just started is not in the table yet.
        let kept = Set(
            rows.values.flatMap { [$0.kept?.pid, $0.kept?.successor] }.compactMap(\.self)
                + [sync?.kept.pid, playback?.kept.pid, gateway?.kept.pid].compactMap(\.self))
        // Deeper than anything that a worker may start.
        let line = sequence(first: pid, next: ProcessFacts.parent(of:)).prefix(16)
        return line.contains { kept.contains($0) } || line.dropFirst().contains(getpid())
    }

    package func status() -> Admin.Status {
        for name in rows.keys { rows[name]?.refreshState() }
        return Admin.Status(
            version: surroundings.version, uptime: (MonotonicTime.now - started).seconds,
            cameras: rows.values.sorted { $0.configuration.name < $1.configuration.name }
                .map { $0.summary(caches[$0.configuration.name.text], graph.state(of: $0.configuration.name)) },
            sync: syncSummary, playback: playbackSummary, gateway: gatewaySummary)
    }

    package func cameras() -> Admin.Cameras {
        Admin.Cameras(
            cameras: rows.values.sorted { $0.configuration.name < $1.configuration.name }.map(\.listed))
    }

    var syncSummary: Admin.Sync {
        guard let status = sync?.status, let pid = sync?.kept.pid else {
            var away = Admin.Sync(state: "away")
            away.pid = sync?.kept.pid.map(Int64.init)
            away.lastError = sync?.fault
            return away
        }
        var summary = Admin.Sync(state: status.state)
        summary.pid = Int64(pid)
        summary.writes = status.writes
        summary.retries = status.retries
        summary.lag = status.lag
        summary.breaker = status.breaker
        summary.lastError = status.lastError
        summary.sandbox = sync?.sandbox
        summary.store = status.store
        return summary
    }
}
