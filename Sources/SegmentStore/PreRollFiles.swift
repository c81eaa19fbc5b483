import CLinux
import Recording

/// Where a worker keeps the newest footage of a camera whose gate is closed: `pre-roll/` in the camera's cache.
///
/// The worker's alone: what stands where in a file only its memory knows. Nothing here is synced or survives the worker;
/// the next one removes what is left, or cvr-sync when there is to be none. No day has this name, so no reader of the cache
/// looks here.
package final class PreRollFolder {
    private static let name = "pre-roll"

    private let folder: Descriptor
    private var last = 0

    /// Makes an empty one.
    package init(in cache: CacheDirectory) throws(SegmentStoreError) {
        try Self.discard(in: cache)
        guard mkdirat(cache.root.raw, Self.name, 0o750) == 0 else {
            throw .last("create", cache.path + "/" + Self.name)
        }
        folder = try Descriptor(Self.name, in: cache.root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    package func begin() throws(SegmentStoreError) -> PreRollFile {
        last += 1
        let name = "\(last)"
        return PreRollFile(name, try Descriptor(name, in: folder, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW))
    }

    package func remove(_ file: PreRollFile) throws(SegmentStoreError) { try folder.unlink(file.name) }

    /// What a worker has there, or left: nil without a folder.
    package static func bytes(in cache: CacheDirectory) throws(SegmentStoreError) -> Int64? {
        guard let folder = try CacheDirectory.subdirectory(name, of: cache.root) else { return nil }
        var sum: Int64 = 0
        for entry in try folder.entries() {
            sum = sum.addingSaturated(try CacheDirectory.size(of: entry, in: folder) ?? 0)
        }
        return sum
    }

    /// Removes what a worker left, and the folder.
    package static func discard(in cache: CacheDirectory) throws(SegmentStoreError) {
        guard let folder = try CacheDirectory.subdirectory(name, of: cache.root) else { return }
        for entry in try folder.entries() { try folder.unlink(entry) }
        guard unlinkat(cache.root.raw, name, AT_REMOVEDIR) == 0 || cvr_errno() == ENOENT else {
            throw .last("remove", cache.path + "/" + name)
        }
    }
}

/// Some seconds of frames, one behind the other.
package final class PreRollFile {
    let name: String
    private let file: Descriptor
    package private(set) var length: Int64 = 0

    init(_ name: String, _ file: consuming Descriptor) {
        self.name = name
        self.file = file
    }

    /// By one write; returns where it stands.
    package func append(_ bytes: [UInt8]) throws(SegmentStoreError) -> Int64 {
        try file.write(bytes, at: length)
        defer { length += Int64(bytes.count) }
        return length
    }

    package func read(at offset: Int64, count: Int) throws(SegmentStoreError) -> [UInt8] {
        let bytes = try file.read(at: offset, count: count)
        guard bytes.count == count else { throw SegmentStoreError(operation: "read", path: file.path, errno: EIO) }
        return bytes
    }
}
