import Catalog
import Recording

/// The part of cvr-sync that makes files of sessions, on a thread of its own: a folder that hangs holds nobody else up.
package actor FileKeeper {
    /// A folder that is away or full is tried again after this.
    private static let pause = TimeSpan.seconds(30)
    private static let page = 20

    private let executor = BlockingExecutor("files")
    private let progress: Progress
    private let stop: StopSwitch
    /// Sinks that do not take their files, and when they are tried again.
    private var away: [CameraName: MonotonicTime] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(progress: Progress, stop: StopSwitch) {
        self.progress = progress
        self.stop = stop
    }

    /// Makes the files of all sessions that are over.
    ///
    /// Throws only errors of the catalog.
    package func run(_ work: Workspace) throws {
        for camera in try work.catalog.knownCameras() where !stop.isOn {
            if let retryAt = away[camera], work.clock.monotonic() < retryAt { continue }
            do {
                try file(work, camera)
            } catch let error as CatalogError {
                throw error
            } catch is CancellationError {
                return
            } catch {
                note(work, camera, error)
            }
        }
    }

    /// The place of a sink that is away is another folder than the process shut itself in with; waits for its disk.
    func isOutside(_ sandbox: SyncSandbox, _ work: Workspace) -> Bool {
        !away.isEmpty && work.settings.filePaths.contains { sandbox.isMoved(filesBelow: $0) }
    }

    private func file(_ work: Workspace, _ camera: CameraName) throws {
        var last = Int64.min
        while true {
            let sessions = try work.catalog.unfiledSessions(camera, after: last, limit: Self.page)
            guard let end = sessions.last?.session else { return }
            let sink = try work.policy(camera).files ?? work.catalog.camera(camera)?.files
            for session in sessions {
                guard let sink else {
                    // One that goes on may be here before the configuration that tells of its sink.
                    guard try work.catalog.isOver(camera, session: session.session) else { continue }
                    throw Self.unknown(session)
                }
                let files = SessionFiles(
                    work: work, camera: camera, session: session, sink: sink, isStopping: { [stop] in stop.isOn })
                guard try files.isReady() else { continue }
                try files.write()
                recovered(work, camera)
            }
            last = end
        }
    }

    private static func unknown(_ session: SessionRow) -> SyncError {
        SyncError(
            .failed, "session \(session.session) is to be the file \(session.file), of no folder that is known",
            nextStep: "activate its graph again; until then its footage stays in the cache")
    }

    private func note(_ work: Workspace, _ camera: CameraName, _ error: any Error) {
        let told = SyncError(error)
        progress.blame(.files(camera), told)
        if away.updateValue(work.clock.monotonic() + Self.pause, forKey: camera) == nil {
            work.tell("fileSinkFailed", camera, told.description)
        }
    }

    private func recovered(_ work: Workspace, _ camera: CameraName) {
        progress.clear(.files(camera))
        if away.removeValue(forKey: camera) != nil { work.tell("fileSinkBack", camera, "files are written again") }
    }
}
