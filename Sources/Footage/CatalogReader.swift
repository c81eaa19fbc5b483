import Catalog
import Glibc
import Recording
import Synchronization

/// A box's catalog, opened to read, and opened anew when another file takes its place.
///
/// It is nil while there is none, or none that can be read: whoever asks does without.
final class CatalogReader: Sendable {
    private static let interval = Duration.seconds(1)

    /// Tells one file from another under the same name.
    private struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private struct State {
        var catalog: Catalog?
        var identity: FileIdentity?
        var lookedAt: ContinuousClock.Instant?
        /// Why there is none; for whoever shows it.
        var trouble: CatalogError?
    }

    private let path: String
    private let state = Mutex(State())

    init(path: String) { self.path = path }

    /// The last thing that kept it from being read; nil while it is.
    var trouble: CatalogError? { state.withLock { $0.catalog == nil ? $0.trouble : nil } }

    func current() -> Catalog? {
        state.withLock { state in
            guard state.lookedAt.map({ .now - $0 >= Self.interval }) ?? true else { return state.catalog }
            state.lookedAt = .now
            let there = identity()
            if state.catalog == nil || there != state.identity { open(there, &state) }
            return state.catalog
        }
    }

    /// The old file's connections end with the last question that uses them.
    private func open(_ there: FileIdentity?, _ state: inout State) {
        (state.catalog, state.identity, state.trouble) = (nil, there, nil)
        guard there != nil else { return }
        do { state.catalog = try Catalog(reading: path) } catch { state.trouble = error }
    }

    /// A question failed: the next second decides whether the catalog can be read again.
    func passOver(_ error: CatalogError) {
        state.withLock { ($0.catalog, $0.trouble, $0.lookedAt) = (nil, error, .now) }
    }

    private func identity() -> FileIdentity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}
