import CLinux
import Checksums
package import Recording

/// What a cache's disk is like.
package enum DiskKind: Sendable {
    case flash
    /// Seeks: 64 cameras that sync once a second each would be more than it can do.
    case rotational

    /// Of the block device below a directory, whole disk or partition, as sysfs tells.
    ///
    /// Flash when it cannot be told (network, overlay, no sysfs): more syncs never lose more.
    package init(below cache: CacheDirectory) {
        var status = stat()
        guard fstat(cache.root.raw, &status) == 0 else {
            self = .flash
            return
        }
        let device = "/sys/dev/block/\(cvr_major(status.st_dev)):\(cvr_minor(status.st_dev))"
        let answer = ["queue", "../queue"].lazy.compactMap { smallFile("\(device)/\($0)/rotational") }.first
        self = answer?.first == UInt8(ascii: "1") ? .rotational : .flash
    }
}

/// When a recording's file is synced: after each fragment on flash, every 4 s on rotational disks.
package struct SyncSchedule: Sendable {
    private let isRotational: Bool
    private let phase: TimeSpan
    private static let period: TimeSpan = .seconds(4)

    /// The camera's name sets the phase, so that cameras on one disk take turns.
    package init(disk: DiskKind, camera: CameraName) {
        isRotational = disk == .rotational
        phase = TimeSpan(microseconds: Int64(CRC32C(Array(camera.text.utf8)).value) % Self.period.microseconds)
    }

    /// Whether to sync at `now` what was appended since the sync at `last`.
    package func isDue(at now: MonotonicTime, last: MonotonicTime) -> Bool {
        !isRotational || turn(now) != turn(last)
    }

    private func turn(_ time: MonotonicTime) -> Int64 {
        (time + phase).microseconds.scaled(by: 1, over: Self.period.microseconds)
    }
}

/// Up to 4 KiB of a file in `/proc` or `/sys`; nil when it cannot be read.
func smallFile(_ path: String) -> [UInt8]? {
    let file = cvr_open(path, O_RDONLY, 0)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(file, &bytes, bytes.count)
    return count > 0 ? Array(bytes.prefix(count)) : nil
}
