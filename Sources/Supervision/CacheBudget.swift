import Configuration
import Glibc
import Recording

/// How much of its disk a camera may use when nobody says: an even share of what recording may use at all.
enum CacheBudget {
    /// Every camera's budget in bytes.
    static func budgets(_ box: BoxConfiguration) -> [CameraName: Int64] {
        let share = evenShare(
            cachePath: box.cachePath, storePath: String(box.store.url.dropFirst("file://".count)),
            minimumFreePercent: box.minimumFreePercent, cameras: box.cameras.count)
        return box.cameras.mapValues { $0.cacheBudgetBytes ?? share }
    }

    /// Half of the disk counts when the store is on it too; whole MiB, so that small changes move nothing.
    ///
    /// Reads the file system of `cachePath`; 1 GiB when that cannot be known.
    static func evenShare(cachePath: String, storePath: String, minimumFreePercent: Double, cameras: Int) -> Int64 {
        guard let disk = facts(cachePath) else { return 1 << 30 }
        let shared = facts(storePath).map { $0.f_fsid == disk.f_fsid } ?? false
        let (total, overflow) = UInt64(disk.f_blocks).multipliedReportingOverflow(by: UInt64(disk.f_frsize))
        let usable = Double(overflow ? .max : total) * (1 - minimumFreePercent / 100) / (shared ? 2 : 1)
        let share = Int64(usable / Double(max(cameras, 1)) / 1_048_576)
        return max(share, 1) << 20
    }

    /// Of the nearest directory above `path` that exists.
    private static func facts(_ path: String) -> statvfs? {
        var path = path[...]
        while true {
            var disk = statvfs()
            if statvfs(path.isEmpty ? "/" : String(path), &disk) == 0 { return disk }
            guard let slash = path.lastIndex(of: "/") else { return nil }
            path = path[..<slash]
        }
    }
}
