import Recording
import Synchronization
import Timeline

/// What live manifests listed last, so that chunks keep their numbers and sessions their place: one memory a camera.
final class LiveWindows: Sendable {
    private let windows = Mutex<[CameraName: LiveWindow]>([:])

    func list(
        _ camera: CameraName, _ rows: [SegmentRow], from: WallTime, to: WallTime, isEnded: Bool
    ) -> ChunkList {
        windows.withLock { $0[camera, default: LiveWindow()].list(rows, from: from, to: to, isEnded: isEnded) }
    }

    /// Somebody has a live manifest of it.
    func note(_ camera: CameraName) {
        windows.withLock { windows in if windows[camera] == nil { windows[camera] = LiveWindow() } }
    }

    /// Players may wait for a live manifest of it to go on.
    func isKnown(_ camera: CameraName) -> Bool { windows.withLock { $0[camera] != nil } }
}
