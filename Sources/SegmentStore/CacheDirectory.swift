import CLinux
package import Recording

/// One camera's cache: an existing directory, and everything in it by descriptor, never through a symbolic link.
///
/// Never creates the directory itself: an unmounted disk must not be silently replaced by its mount point.
package final class CacheDirectory {
    package let path: String
    package let camera: CameraName
    let root: Descriptor
    /// Asked once: a worker that has shut itself in cannot ask any more.
    package private(set) lazy var diskKind = DiskKind(below: self)
    /// Of the calls that made segments and the journal durable: slow ones are a disk that is dying or shared.
    package internal(set) var syncTimes: SyncTimes
    /// The last hour whose every parent this process made durable.
    private var syncedHour = ""

    package init(path: String, camera: CameraName) throws(SegmentStoreError) {
        self.path = path
        self.camera = camera
        root = try Descriptor(directory: path)
        syncTimes = SyncTimes(at: .now)
    }

    /// Every segment of every stage with its size, by session and counter.
    package func listing() throws(SegmentStoreError) -> [(name: SegmentFileName, bytes: Int64)] {
        var found: [(name: SegmentFileName, bytes: Int64)] = []
        try forEachHour { (hour, names) throws(SegmentStoreError) in
            for name in names {
                guard let bytes = try Self.size(of: name.leaf, in: hour) else { continue }
                found.append((name, bytes))
            }
        }
        return found.sorted { $0.name.id < $1.name.id }
    }

    /// Every segment of every stage, in no order, without a look at the files; of hours that end after `from`.
    package func names(from: WallTime = .earliest) throws(SegmentStoreError) -> [SegmentFileName] {
        var found: [SegmentFileName] = []
        try forEachHour(from: from) { (_, names) throws(SegmentStoreError) in found += names }
        return found
    }

    /// The highest counter of a session, whatever its stage.
    package func newestSegment(ofSession session: Int64) throws(SegmentStoreError) -> SegmentFileName? {
        try names().filter { $0.id.session == session }.max { $0.id < $1.id }
    }

    /// Of all segments, without the pre-roll.
    package func totals() throws(SegmentStoreError) -> (segments: Int, bytes: Int64) {
        let listing = try listing()
        return (listing.count, listing.reduce(0) { $0.addingSaturated($1.bytes) })
    }

    /// Of the disk that holds the cache; an error is never taken for space.
    package func freeSpace() throws(SegmentStoreError) -> FreeSpace {
        var status = statvfs()
        guard fstatvfs(root.raw, &status) == 0 else { throw .last("measure free space of", path) }
        let block = Int64(clamping: status.f_frsize)
        return FreeSpace(
            available: Int64(clamping: status.f_bavail).multipliedSaturated(block),
            total: Int64(clamping: status.f_blocks).multipliedSaturated(block))
    }

    /// The disk that holds the cache: equal for two caches exactly if they share their space.
    package func disk() throws(SegmentStoreError) -> UInt64 {
        var status = stat()
        guard fstat(root.raw, &status) == 0 else { throw .last("examine", path) }
        return UInt64(status.st_dev)
    }

    /// Opens a segment for reading, under its final name if it was closed meanwhile.
    package func open(_ name: SegmentFileName) throws(SegmentStoreError) -> SegmentFile {
        let hour = try hourDirectory(of: name)
        do {
            return SegmentFile(try Descriptor(name.leaf, in: hour, O_RDONLY | O_NOFOLLOW))
        } catch {
            guard error.errno == ENOENT, name.isPartial else { throw error }
            return SegmentFile(try Descriptor(name.with(stage: .closed).leaf, in: hour, O_RDONLY | O_NOFOLLOW))
        }
    }
}

extension CacheDirectory {
    func hourDirectory(of name: SegmentFileName) throws(SegmentStoreError) -> Descriptor {
        let day = try Descriptor(name.day, in: root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        return try Descriptor(name.hour, in: day, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// Names of one segment in the hour that it was opened in; empty when there is no such hour.
    func names(of id: SegmentID, inHourOf start: WallTime) throws(SegmentStoreError) -> [SegmentFileName] {
        let any = SegmentFileName(start: start, id: id)
        do {
            let hour = try hourDirectory(of: any)
            return try Self.names(in: hour, day: any.day, hour: any.hour).filter { $0.id == id }
        } catch {
            guard error.errno == ENOENT else { throw error }
            return []
        }
    }

    /// Creates the directories of a segment as needed.
    func makeHourDirectory(of name: SegmentFileName) throws(SegmentStoreError) -> Descriptor {
        if try Self.makeDirectory(name.day, in: root) { syncedHour = "" }
        let day = try Descriptor(name.day, in: root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        if try Self.makeDirectory(name.hour, in: day) { syncedHour = "" }
        return try Descriptor(name.hour, in: day, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// Makes a new name in `hour` durable, and the directories above it when this process has not yet.
    func syncDirectories(of name: SegmentFileName, hour: borrowing Descriptor) throws(SegmentStoreError) {
        try hour.sync(timedBy: self)
        guard syncedHour != name.day + "/" + name.hour else { return }
        try Descriptor(name.day, in: root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).sync(timedBy: self)
        try root.sync(timedBy: self)
        syncedHour = name.day + "/" + name.hour
    }

    /// Calls `body` with each hour directory that can be a segment's, and the segments in it.
    ///
    /// What vanishes meanwhile is skipped; what cannot be read is an error: a cache must not look empty.
    func forEachHour(
        from: WallTime = .earliest, _ body: (borrowing Descriptor, [SegmentFileName]) throws(SegmentStoreError) -> Void
    ) throws(SegmentStoreError) {
        for dayName in try root.entries().sorted() {
            guard let midnight = WallTime(rfc3339: dayName + "T00:00:00Z"), midnight + .seconds(86_400) > from,
                let day = try Self.subdirectory(dayName, of: root)
            else { continue }
            for hourName in try day.entries().sorted() where hourName.utf8.count == 2 {
                guard midnight + .seconds(3600 * (Int64(hourName) ?? 24) + 3600) > from else { continue }
                guard let hour = try Self.subdirectory(hourName, of: day) else { continue }
                try body(hour, try Self.names(in: hour, day: dayName, hour: hourName))
            }
        }
    }

    /// Nil when it is gone or no directory.
    static func subdirectory(
        _ name: String, of parent: borrowing Descriptor
    ) throws(SegmentStoreError) -> Descriptor? {
        do {
            return try Descriptor(name, in: parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        } catch {
            guard [ENOENT, ENOTDIR, ELOOP].contains(error.errno) else { throw error }
            return nil
        }
    }

    private static func names(
        in directory: borrowing Descriptor, day: String, hour: String
    ) throws(SegmentStoreError) -> [SegmentFileName] {
        try directory.entries().compactMap { SegmentFileName(relativePath: "\(day)/\(hour)/\($0)") }
    }

    /// True when it was not there.
    private static func makeDirectory(
        _ name: String, in parent: borrowing Descriptor
    ) throws(SegmentStoreError) -> Bool {
        if mkdirat(parent.raw, name, 0o750) == 0 { return true }
        guard cvr_errno() == EEXIST else { throw .last("create", parent.path + "/" + name) }
        return false
    }

    /// Nil when it is gone or no regular file.
    static func size(of leaf: String, in hour: borrowing Descriptor) throws(SegmentStoreError) -> Int64? {
        var status = stat()
        guard fstatat(hour.raw, leaf, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if cvr_errno() == ENOENT { return nil }
            throw .last("examine", hour.path + "/" + leaf)
        }
        return status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) ? Int64(status.st_size) : nil
    }
}

/// Bytes of a disk.
package struct FreeSpace: Hashable, Sendable {
    /// For this process: without what is reserved for root.
    package var available: Int64
    package var total: Int64
}

/// A segment's bytes, open for reading.
package final class SegmentFile {
    let descriptor: Descriptor

    init(_ file: consuming Descriptor) { descriptor = file }

    package func length() throws(SegmentStoreError) -> Int64 { try descriptor.length() }

    /// Fewer bytes than asked for only at the end of the file.
    package func read(at offset: Int64, count: Int) throws(SegmentStoreError) -> [UInt8] {
        try descriptor.read(at: offset, count: count)
    }
}
