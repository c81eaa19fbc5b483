import CLinux

/// A file operation that failed, and what the operator does next.
package struct SegmentStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Lower-case verb phrase: `append to segment`.
    package let operation: String
    package let path: String
    /// As errno(3).
    package let errno: Int32
    package let nextStep: String

    package init(operation: String, path: String, errno: Int32, nextStep: String? = nil) {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.nextStep = nextStep ?? Self.nextStep(for: errno)
    }

    /// The disk or a quota is full: evicting helps.
    package var isNoSpace: Bool { errno == ENOSPC || errno == EDQUOT }

    /// Of this process, not of the machine.
    package var isDescriptorLimit: Bool { errno == EMFILE }

    /// In the system's words.
    package var reason: String { String(cString: strerror(errno)) }

    package var description: String { "cannot \(operation) \(path): \(reason); \(nextStep)" }

    private static func nextStep(for errno: Int32) -> String {
        switch errno {
        case ENOSPC, EDQUOT:
            "free space on the disk, lower localMediaCacheMaximumSizeMiB or set cacheFull: dropOldest"
        case EROFS: "the disk went read-only: look at dmesg, repair it and mount it read-write"
        case EACCES, EPERM: "give the service's user read and write permission there"
        case ENOENT, ENOTDIR: "mount the cache disk, or see cache.path in cvr.yaml"
        case ELOOP: "remove the symbolic link: a cache holds none"
        case EIO, EUCLEAN: "the disk fails: look at dmesg and its SMART data, and replace it"
        case ENODEV, ENXIO, ESTALE: "the disk went away: connect and mount it again"
        case EMFILE: "wait: another worker takes over; report it with the log if it happens again"
        case ENFILE: "raise fs.file-max of the machine (sysctl), or stop what holds so many files open"
        default: "look at dmesg, then restart the camera"
        }
    }
}
