import Footage
import Recording
import Synchronization
import Timeline

/// What live manifests listed last, so that chunks keep their numbers and sessions their place: one memory a camera, and one
/// of each activation's asset.
final class LiveWindows: Sendable {
    private let windows = Mutex<[Archive.Camera: LiveWindow]>([:])

    func list(
        _ camera: Archive.Camera, _ rows: [SegmentRow], from: WallTime, to: WallTime, isEnded: Bool
    ) -> ChunkList {
        windows.withLock { $0[camera, default: LiveWindow()].list(rows, from: from, to: to, isEnded: isEnded) }
    }

    /// Somebody has a live manifest of it.
    func note(_ camera: Archive.Camera) {
        windows.withLock { windows in if windows[camera] == nil { windows[camera] = LiveWindow() } }
    }

    /// Players may wait for a live manifest of it to go on.
    func isKnown(_ camera: Archive.Camera) -> Bool { windows.withLock { $0[camera] != nil } }
}
