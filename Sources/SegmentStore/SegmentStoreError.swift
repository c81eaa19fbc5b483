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
    package var isNoSuchFile: Bool { errno == ENOENT }

    package var reason: String { String(cString: strerror(errno)) }

    package var description: String { "cannot \(operation) \(path): \(reason); \(nextStep)" }

    private static func nextStep(for errno: Int32) -> String {
        switch errno {
        case ENOSPC, EDQUOT:
            "free space on the disk, lower localMediaCacheMaximumSizeMiB or set cacheFull: dropOldest"
        case EROFS: "the disk became read-only: check dmesg, repair the disk and mount it read-write"
        case EACCES, EPERM: "let the user cvr read and write there"
        case ENOENT, ENOTDIR: "mount the cache disk, or see cache.path in cvr.yaml"
        case ELOOP: "remove the symbolic link: a cache must not contain any"
        case EIO, EUCLEAN: "the disk is failing: check dmesg and smartctl, and replace it"
        case ENODEV, ENXIO, ESTALE: "the disk disappeared: connect and mount it again"
        case EMFILE: "none: another worker takes over; if it recurs, report it with the log"
        case ENFILE: "raise fs.file-max (sysctl), or stop whatever holds so many files open"
        default: "check dmesg, then run cvrctl camera restart"
        }
    }
}
