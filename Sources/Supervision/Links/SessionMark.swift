import Dispatch
package import Recording
import Synchronization
package import YAMLConfiguration

/// The last session number of a camera, kept apart from its cache: a cache on a new disk must not begin at 1 again, for
/// a session's number is never reused.
package struct SessionMark: Sendable {
    private let directory: String
    private let camera: CameraName

    package init(_ camera: CameraName, _ places: Places) {
        directory = places.sessions
        self.camera = camera
    }

    private var path: String { "\(directory)/\(camera)" }

    /// 0 when none is known, or what is there is no number: then the cache alone counts.
    package func read() throws(FileError) -> Int64 {
        guard let bytes = try SmallFile.read(path, limit: 32) else { return 0 }
        return Int64(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber }) ?? 0
    }

    package func write(_ session: Int64) throws(FileError) {
        try SmallFile.makeDirectory(directory)
        try SmallFile.write(Array("\(session)\n".utf8), to: path, mode: 0o600)
    }
}

/// Writes a camera's mark behind everybody's back: a state disk that is slow, or dead, holds no conversation up.
///
/// One write at a time, and of the numbers that come meanwhile the last. What cvrd's end cuts off is noted by the next
/// one, which hears of the session too.
final class SessionMarkWriter: Sendable {
    private let mark: SessionMark
    private let queue = DispatchQueue(label: "io.cvr.session-mark")
    private let next = Mutex<Int64?>(nil)

    init(_ mark: SessionMark) { self.mark = mark }

    func note(_ session: Int64) {
        let isWaiting = next.withLock { next in
            defer { next = session }
            return next != nil
        }
        guard !isWaiting else { return }
        queue.async { [self] in
            guard let session = next.withLock({ $0.take() }) else { return }
            // A state disk that does not take it costs nothing while the cache lives; the next session is noted again.
            try? mark.write(session)
        }
    }
}
