import Glibc
import Isolation
package import Messages
import Recording
import YAMLConfiguration

/// `doctor`: looks at the box and tells what it finds, one thing after the other.
extension Supervisor {
    /// Everything that is found, cheap looks first; the disks take some seconds.
    ///
    /// Runs beside everything else: only the disks' own answers are waited for.
    package nonisolated func examine(_ tell: (Admin.Check) async throws -> Void) async throws {
        let box = await box
        let isSynchronised = await Self.isClockSynchronised(within: .seconds(15))
        try await tell(Diagnosis.clock(isSynchronised: isSynchronised, isTrusted: box.trustsClock))
        try await tell(Diagnosis.service(Self.service()))
        try await tell(Diagnosis.descriptors(limit: OwnDescriptors.limit(), cameras: box.cameras.count))
        for (name, path, writers) in [
            ("cacheDisk", box.cachePath, box.cameras.values.count(where: \.enabled)), ("stateDisk", box.statePath, 1),
        ] {
            let probe = await disks.look(at: path, atMost: DiskProbe.deadline) { DiskProbe.measure(path) } ?? .silent
            try await tell(Diagnosis.disk(name, path, probe, writers: writers))
        }
        let sync = await syncSummary
        try await tell(Diagnosis.store(sync))
        if sync.pid != nil { try await tell(Diagnosis.sandbox(of: "cvr-sync", says: sync.sandbox)) }
        for check in await servingChecks() { try await tell(check) }
        let cameras = await patients()
        for check in await spaces(box, cameras) { try await tell(check) }
        let lag = TimeSpan(microseconds: Int64(min(max(sync.lag, 0), 1e9) * 1e6))
        for camera in cameras {
            for check in Diagnosis.camera(camera, release: surroundings.version, uploadLag: lag) {
                try await tell(check)
            }
        }
    }

    private nonisolated func spaces(_ box: BoxConfiguration, _ cameras: [Diagnosis.Camera]) async -> [Admin.Check] {
        let rows = cameras.filter { $0.configuration.enabled }
        var checks: [Admin.Check] = []
        if let disk = await disk(of: box.cachePath) {
            checks.append(
                Diagnosis.cacheSpace(
                    disk, budgets: rows.map(\.row.cacheBudgetBytes),
                    cacheBytes: rows.reduce(0) { $0.addingSaturated($1.row.cacheBytes) },
                    minimumFreePercent: box.minimumFreePercent))
        }
        guard let path = box.store.location.folder else { return checks }
        let demands = rows.map {
            Diagnosis.Demand(bitsPerSecond: $0.row.bitsPerSecond, retention: $0.configuration.retention)
        }
        if let disk = await disk(of: path), let check = Diagnosis.storeSpace(disk, demands) { checks.append(check) }
        return checks
    }

    private nonisolated func disk(of path: String) async -> Diagnosis.Disk? {
        await disks.look(at: path, atMost: .seconds(5)) { Diagnosis.Disk(CacheBudget.facts(path)) } ?? nil
    }

    private func servingChecks() -> [Admin.Check] {
        let gatewayChecks =
            Diagnosis.gateway(gatewaySummary)
            + (gateway?.status == nil ? [] : [Diagnosis.sandbox(of: "cvr-gateway", says: gateway?.sandbox)])
        return playbackChecks() + gatewayChecks
    }

    private func playbackChecks() -> [Admin.Check] {
        let summary = playbackSummary
        guard let check = Diagnosis.playback(summary) else { return [] }
        let end = playback?.status?.certificateEnd.flatMap { WallTime(rfc3339: $0) }
        return [check]
            + (end.map { [Diagnosis.certificate(validUntil: $0, now: .now)] } ?? [])
            + (playback?.status == nil ? [] : [Diagnosis.sandbox(of: "cvr-playback", says: summary.sandbox)])
    }

    private func patients() -> [Diagnosis.Camera] {
        let status = status()
        return status.cameras.compactMap { summary in
            guard let row = rows.values.first(where: { $0.configuration.name.text == summary.name }) else { return nil }
            return Diagnosis.Camera(
                row.configuration, summary, keyframeInterval: row.progress?.keyframeInterval, sandbox: row.sandbox,
                build: row.build)
        }
    }

    private static func service() -> Diagnosis.Service {
        Diagnosis.Service(
            controlGroup: ProcessFacts.ownControlGroup(), isNotifying: getenv("NOTIFY_SOCKET") != nil,
            isWatched: getenv("WATCHDOG_USEC") != nil, isWithoutNewPrivileges: ProcessFacts.cannotGainPrivileges())
    }
}

extension Diagnosis.Disk {
    init?(_ facts: statvfs?) {
        guard let facts else { return nil }
        let block = Double(facts.f_frsize)
        self.init(total: Double(facts.f_blocks) * block, available: Double(facts.f_bavail) * block)
    }
}
