import CLinux
import Confinement
import Foundation
import Recording

/// How cvr-sync shuts itself in: its places, and nothing else of the box.
///
/// A camera's password, `cvr.yaml` and every other process are out of its reach; so is the network, unless the store is
/// a service. Its own socket is bound before.
package struct SyncSandbox: Sendable {
    private let places: SyncPlaces?
    /// Which folders the places were: a rule holds for a folder, not for its name.
    private let roots: [String: Root?]
    /// Of a service's name: those that were replaced are out of reach.
    private let names: [UInt64]
    /// The store did not answer and is out of reach: who is started anew when it does can use it.
    let isWithoutStore: Bool
    /// What files are written below, as `roots`; nil for one that was missing or did not answer, and is out of reach.
    private let fileRoots: [String: Root?]
    /// For `status`.
    package let text: String

    private struct Root: Hashable {
        var device: dev_t
        var number: ino_t
    }

    /// To be called on the process's only thread, after `prepare`, which says whether the store answers.
    package static func close(_ arguments: SyncArguments, _ answering: Answering) -> SyncSandbox {
        OutOfMemoryRank.sync.take()
        guard let places = arguments.places else {
            return SyncSandbox(
                places: nil, roots: [:], names: [], isWithoutStore: false, fileRoots: [:],
                text: "degraded: none, a cvrd of an older build does not name its places")
        }
        // The log's clock is set up while /etc/localtime can be read; what SQLite sorts goes where it may write.
        tzset()
        setenv("SQLITE_TMPDIR", SyncFolder(state: places.state).path, 1)
        var files = files(places, run: arguments.run)
        let isWithoutStore = !answering.store
        if isWithoutStore { files.rules.removeAll { $0.path == places.store.folder } }
        files.rules += answering.files.map { .init($0, .own) }
        let isService = places.store.folder == nil
        let names = isService ? NameService.identity() : []
        let reached = places.files.map { ($0, answering.files.contains($0) ? root($0) : nil) }
        let sandbox = Sandbox.close(files: files, calls: .sync(pid: getpid(), usesNetwork: isService))
        return SyncSandbox(
            places: places, roots: roots(places, isWithoutStore: isWithoutStore), names: names,
            isWithoutStore: isWithoutStore, fileRoots: Dictionary(uniqueKeysWithValues: reached), text: sandbox.text)
    }

    static func files(_ places: SyncPlaces, run: String) -> FileRules {
        let store: [FileRules.Rule] =
            switch places.store {
            case .file(let path): [.init(path, .own)]
            case .s3: NameService.rules()
            // Azure Arc's agent proves who asks by a file in its folder.
            case .azureBlob: NameService.rules() + [.init("/var/opt/azcmagent/tokens", .read)]
            }
        return FileRules(
            [
                .init(run, .own), .init(places.cache, .own), .init(SyncFolder(state: places.state).path, .own),
                .init(places.state + "/identities", .read),
                // Who holds a camera's lock; what is in it of other processes is withheld by the kernel.
                .init("/proc", .read),
            ] + store)
    }

    /// False for places that this process cannot work on: one that is started anew can.
    func covers(_ settings: SyncSettings) -> Bool { places.map { $0 == SyncPlaces(settings) } ?? true }

    /// One of the places is another folder now, such as the root of a disk that was mounted, or answers at last, or the
    /// name service's files were replaced; waits for their disks.
    ///
    /// One that is missing is not: a process that is started anew would miss it too.
    var isMoved: Bool {
        roots.contains { path, then in Self.root(path).map { $0 != then } ?? false }
            || !names.isEmpty && names != NameService.identity()
    }

    /// As `isMoved`, of what files are written below: one that was missing is there now, or another folder is.
    ///
    /// Waits for its disk.
    func isMoved(filesBelow path: String) -> Bool {
        guard let then = fileRoots[path] else { return false }
        return Self.root(path).map { $0 != then } ?? false
    }

    /// Which places answered: the others must not keep us from the caches.
    package struct Answering: Hashable, Sendable {
        package var store = true
        /// What files may be written below.
        package var files: [String] = []

        package init() {}
    }

    /// Makes what a new box does not have yet.
    ///
    /// A place that was there before and is missing now is left alone: its disk is not mounted. For a process that has
    /// one thread, and holds no lock yet.
    ///
    /// The store and the folders of files have `patience` to answer, in milliseconds.
    package static func prepare(
        _ places: SyncPlaces, patience: Int32 = SilentFolder.patience
    ) throws -> Answering {
        let folder = SyncFolder(state: places.state)
        try folder.prepare()
        let identities = places.state + "/identities"
        if access(identities, F_OK) != 0 {
            mkdir(places.cache, 0o750)
            // cvrd writes the first ones at this moment: a folder that is made later would stay out of reach.
            mkdir(identities, 0o700)
        }
        var answering = Answering()
        answering.files = places.files.filter { path in !SilentFolder.holds({ _ = root(path) }, longerThan: patience) }
        guard let store = places.store.folder else { return answering }
        // Damaged marks are the first pass's to report.
        let marks = (try? StoreIdentity.marks(in: folder)) ?? [store + " ": ""]
        let isNew = !marks.keys.contains { $0.hasPrefix(store + " ") }
        answering.store = !SilentFolder.holds(
            {
                if isNew { mkdir(store, 0o750) }
                _ = root(store)
            }, longerThan: patience)
        return answering
    }

    /// With the folder above the store: one that appears under it may be made by the next process.
    private static func roots(_ places: SyncPlaces, isWithoutStore: Bool) -> [String: Root?] {
        guard let store = places.store.folder else { return [places.cache: root(places.cache)] }
        guard !isWithoutStore else { return [places.cache: root(places.cache), store: nil] }
        let paths = [places.cache, store, store.parent]
        return Dictionary(paths.map { ($0, root($0)) }) { first, _ in first }
    }

    private static func root(_ path: String) -> Root? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return Root(device: status.st_dev, number: status.st_ino)
    }
}
