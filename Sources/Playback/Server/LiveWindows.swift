import Recording
import Synchronization
import Timeline

/// What live manifests listed last, so that chunks keep their numbers and sessions their place: one memory a camera.
final class LiveWindows: Sendable {
    private let windows = Mutex<[CameraName: LiveWindow]>([:])

    func list(_ camera: CameraName, _ rows: [SegmentRow], from: WallTime, to: WallTime) -> ChunkList {
        windows.withLock { $0[camera, default: LiveWindow()].list(rows, from: from, to: to) }
    }
}
