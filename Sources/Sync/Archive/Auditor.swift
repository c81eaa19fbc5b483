import Catalog
package import Messages
import ObjectStore
package import Recording

/// The part of cvr-sync that verifies on request, on a thread of its own: it may take as long as the archive is large.
package actor Auditor {
    private let executor = BlockingExecutor("audit")
    private let progress: Progress

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(progress: Progress) { self.progress = progress }

    /// Verifies some cameras, one after the other; `tell` hears of progress and of each finding.
    package func verify(
        _ work: Workspace, _ cameras: [CameraName], isDeep: Bool, limit: StopSwitch,
        _ tell: @escaping @Sendable (Listing.Verified) -> Void
    ) throws {
        for camera in cameras where !limit.isOn {
            let findings = Findings(tell: tell)
            try Audit(
                work: work, progress: progress, camera: camera, isDeep: isDeep, isStopping: { limit.isOn },
                findings: findings
            ).run()
            if findings.isSound, !limit.isOn { progress.clear(.audit(camera)) }
        }
    }
}
