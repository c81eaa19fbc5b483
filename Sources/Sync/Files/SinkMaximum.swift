import Catalog
import Footage
import Recording

/// Keeps the files of a sink below its maximum: the oldest that it wrote go first.
///
/// Only what is on record as the sink's own and is there as it was written is removed: not a file that took the place of
/// one, nor one whose time a hold covers.
struct SinkMaximum {
    let work: Workspace
    let camera: CameraName
    let sink: FileSink

    /// Before a file of at most so many bytes is written, which itself stays however large it is.
    func makeRoom(for bytes: Int64, _ folder: SinkFolder) throws {
        guard let maximum = sink.maximumBytes else { return }
        let files = try work.catalog.files(camera).filter { $0.isWritten && $0.name(in: folder.path) != nil }
        var held = files.reduce(bytes) { $0.addingSaturated($1.bytes) }
        for file in files where held > maximum {
            if try work.catalog.isHeld(camera, file) { continue }
            try remove(file, folder)
            held -= file.bytes
        }
    }

    private func remove(_ file: SinkFile, _ folder: SinkFolder) throws {
        guard let name = file.name(in: folder.path) else { return }
        // One that is not there any more may have been removed by whoever died before it was told.
        let isGone = try !folder.has(name)
        let isOurs = try isGone || folder.holds(name, bytes: file.bytes, checksum: file.checksum)
        if isOurs {
            try folder.remove(name)
            try work.step("file.removed")
            try folder.sync()
        }
        if try CacheIdentity.check(camera, work.settings) {
            try Ledger(cache: work.settings.cachePath(camera)).append(.removed(path: file.path))
        }
        try work.catalog.forgetFile(camera, path: file.path)
        if isOurs { work.tell("fileDeleted", camera, file.path) }
    }
}
