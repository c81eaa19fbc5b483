import CLinux
import Catalog
import Glibc

/// Space that is held on a disk for the time when it is full: an eviction must be written down before it frees any.
///
/// One file a disk, owned by cvr-sync; let go first, taken again when there is room for it many times over.
struct Ballast: Hashable {
    private static let largest: Int64 = 8 << 20

    private let path: String

    /// One for each disk that cvr-sync must be able to write to.
    static func all(_ settings: SyncSettings) -> [Ballast] {
        let folders = [settings.cachePath, settings.folder.path]
        let disks = Set(folders.compactMap(disk))
        let used = disks.count == 1 ? [folders[0]] : folders
        return used.map { Ballast(path: $0 + "/.ballast") }
    }

    static func helps(_ error: any Error) -> Bool {
        (error as? CatalogError)?.isNoSpace == true || (error as? SyncError)?.code == .noSpace
    }

    func release() { unlink(path) }

    /// Best effort: a disk without room for it is about to be made room on.
    func refill() {
        var disk = statvfs()
        guard statvfs(path.parent, &disk) == 0 else { return }
        let total = Int64(disk.f_blocks) * Int64(disk.f_frsize)
        let free = Int64(disk.f_bavail) * Int64(disk.f_frsize)
        let size = min(Self.largest, total / 100)
        guard size > 0, length < size, free / 4 > size else { return }
        let file = cvr_open(path, O_WRONLY | O_CREAT, 0o640)
        guard file >= 0 else { return }
        if posix_fallocate(file, 0, off_t(size)) != 0 { unlink(path) }
        close(file)
    }

    /// A refill that a crash cut short left less than a ballast.
    private var length: Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    private static func disk(_ folder: String) -> dev_t? {
        var status = stat()
        return stat(folder, &status) == 0 ? status.st_dev : nil
    }
}
