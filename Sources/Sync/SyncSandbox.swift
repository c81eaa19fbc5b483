import CLinux
import Confinement
import Foundation

/// How cvr-sync shuts itself in: its places, and nothing else of the box.
///
/// A camera's password, `cvr.yaml` and every other process are out of its reach. Neither name service nor certificates
/// are within: a `file:` store needs none.
package struct SyncSandbox: Sendable {
    private let places: SyncPlaces?
    /// Which folders the places were: a rule holds for a folder, not for its name.
    private let roots: [String: Root?]
    /// The store did not answer and is out of reach: who is started anew when it does can use it.
    let isWithoutStore: Bool
    /// For `status`.
    package let text: String

    private struct Root: Hashable {
        var device: dev_t
        var number: ino_t
    }

    /// To be called before anything else, on the process's only thread.
    package static func close(_ arguments: SyncArguments) throws -> SyncSandbox {
        OutOfMemoryRank.sync.take()
        guard let places = arguments.places else {
            return SyncSandbox(
                places: nil, roots: [:], isWithoutStore: false,
                text: "degraded: none, a cvrd of an older build does not name its places")
        }
        let isWithoutStore = try !prepare(places)
        // The log's clock is set up while /etc/localtime can be read; what SQLite sorts goes where it may write.
        tzset()
        setenv("SQLITE_TMPDIR", SyncFolder(state: places.state).path, 1)
        var files = files(places, run: arguments.run)
        if isWithoutStore { files.rules.removeAll { $0.path == places.store } }
        let sandbox = Sandbox.close(files: files, calls: .sync(pid: getpid()))
        return SyncSandbox(
            places: places, roots: roots(places, isWithoutStore: isWithoutStore), isWithoutStore: isWithoutStore,
            text: sandbox.text)
    }

    static func files(_ places: SyncPlaces, run: String) -> FileRules {
        FileRules([
            .init(run, .serve), .init(places.cache, .own), .init(SyncFolder(state: places.state).path, .own),
            .init(places.store, .own), .init(places.state + "/identities", .read),
            // Who holds a camera's lock; what is in it of other processes is withheld by the kernel.
            .init("/proc", .read),
        ])
    }

    /// False for places that this process cannot work on: one that is started anew can.
    func covers(_ settings: SyncSettings) -> Bool { places.map { $0 == SyncPlaces(settings) } ?? true }

    /// One of the places is another folder now, such as the root of a disk that was mounted, or answers at last; waits
    /// for their disks.
    ///
    /// One that is missing is not: a process that is started anew would miss it too.
    var isMoved: Bool { roots.contains { path, then in Self.root(path).map { $0 != then } ?? false } }

    /// What a new box does not have yet; a place that was there before and is missing now is left alone: its disk is
    /// not mounted.
    ///
    /// False when the store does not answer within `patience`, in milliseconds: it must not keep us from the caches.
    package static func prepare(_ places: SyncPlaces, patience: Int32 = SilentFolder.patience) throws -> Bool {
        let folder = SyncFolder(state: places.state)
        try folder.prepare()
        let identities = places.state + "/identities"
        if access(identities, F_OK) != 0 {
            mkdir(places.cache, 0o750)
            // cvrd writes the first ones at this moment: a folder that is made later would stay out of reach.
            mkdir(identities, 0o700)
        }
        // Damaged marks are the first pass's to report.
        let marks = (try? StoreIdentity.marks(in: folder)) ?? [places.store + " ": ""]
        let isNew = !marks.keys.contains { $0.hasPrefix(places.store + " ") }
        let isSilent = SilentFolder.holds(
            {
                if isNew { mkdir(places.store, 0o750) }
                _ = root(places.store)
            }, longerThan: patience)
        return !isSilent
    }

    /// With the folder above the store: one that appears under it may be made by the next process.
    private static func roots(_ places: SyncPlaces, isWithoutStore: Bool) -> [String: Root?] {
        guard !isWithoutStore else { return [places.cache: root(places.cache), places.store: nil] }
        let paths = [places.cache, places.store, places.store.parent]
        return Dictionary(paths.map { ($0, root($0)) }) { first, _ in first }
    }

    private static func root(_ path: String) -> Root? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return Root(device: status.st_dev, number: status.st_ino)
    }
}
