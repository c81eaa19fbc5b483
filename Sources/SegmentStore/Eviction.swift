import CLinux
package import FragmentedMP4
package import Recording

/// Removes media; nothing else does (I3, I7).
package enum Eviction {
    /// An empty hour is kept this long after its end: a worker may be about to create a segment in it.
    private static let rest: TimeSpan = .seconds(7200)

    /// For cvr-sync, whose catalog already permits it: unlinks and makes that durable.
    ///
    /// A segment that is gone already is a success. An emptied hour that ended 2 h before `now` is removed as well.
    package static func evict(
        _ name: SegmentFileName, in cache: CacheDirectory, now: WallTime
    ) throws(SegmentStoreError) {
        guard let day = try CacheDirectory.subdirectory(name.day, of: cache.root),
            let hour = try CacheDirectory.subdirectory(name.hour, of: day)
        else { return }
        try hour.unlink(name.leaf)
        Failpoint.reach(.evictUnlinked)
        try hour.sync()
        Failpoint.reach(.evictDirectorySynced)
        if isOver(name.day, name.hour, now), try remove(name.hour, in: day) { _ = try remove(name.day, in: cache.root) }
    }

    /// For a worker under I7's exception: the journal record first, then as above.
    package static func evict(
        _ name: SegmentFileName, because reason: EvictionReason, in cache: CacheDirectory, journal: Journal,
        now: WallTime
    ) throws(SegmentStoreError) {
        let (duration, bytes) = try extent(of: name, in: cache)
        try journal.append(
            .evicted(name.id, start: name.start, duration: duration, bytes: bytes, reason: reason), at: now)
        try evict(name, in: cache, now: now)
    }

    /// Removes hour and day directories that are empty and whose hour ended 2 h before `now`.
    ///
    /// A wrong clock removes no file (I11): the system refuses to remove a directory that holds one.
    package static func removeEmptyDirectories(in cache: CacheDirectory, now: WallTime) throws(SegmentStoreError) {
        for dayName in try cache.root.entries() where isOver(dayName, "00", now) {
            guard let day = try CacheDirectory.subdirectory(dayName, of: cache.root) else { continue }
            for hourName in try day.entries() where isOver(dayName, hourName, now) { _ = try remove(hourName, in: day) }
            if isOver(dayName, "23", now) { _ = try remove(dayName, in: cache.root) }
        }
    }

    /// False for what is no hour at all.
    private static func isOver(_ day: String, _ hour: String, _ now: WallTime) -> Bool {
        guard let start = WallTime(rfc3339: "\(day)T\(hour):00:00Z") else { return false }
        return start + .seconds(3600) + rest < now
    }

    /// False when it is not empty.
    private static func remove(_ name: String, in parent: borrowing Descriptor) throws(SegmentStoreError) -> Bool {
        if unlinkat(parent.raw, name, AT_REMOVEDIR) == 0 { return true }
        guard [ENOTEMPTY, EEXIST, ENOENT, ENOTDIR].contains(cvr_errno()) else {
            throw .last("remove", parent.path + "/" + name)
        }
        return false
    }

    /// What the record says of it; a file that cannot be read has no duration, and goes all the same.
    private static func extent(
        of name: SegmentFileName, in cache: CacheDirectory
    ) throws(SegmentStoreError) -> (duration: TimeSpan, bytes: Int64) {
        let file: SegmentFile
        do {
            file = try cache.open(name)
        } catch {
            guard error.errno == ENOENT else { throw error }
            return (.zero, 0)
        }
        let bytes = try file.length()
        // Damage is no reason to keep a file whose eviction was decided.
        let reader = try? SegmentReader(length: bytes, verifyChecksums: false) { try file.read(at: $0, count: $1) }
        return (reader?.mediaEndTime.map { max(.zero, $0 - name.start) } ?? .zero, bytes)
    }
}

extension SegmentReader {
    /// Wall time of the end of the last whole fragment: of its first track, which is the video if there is any.
    package var mediaEndTime: WallTime? {
        guard let run = fragments.last?.perTrack.min(by: { $0.track < $1.track }), tracks.indices.contains(run.track)
        else { return nil }
        let end = run.baseDecodeTime.addingSaturated(run.duration)
        return info.anchor + TimeSpan(microseconds: end.scaled(by: 1_000_000, over: tracks[run.track].timescale))
    }
}
