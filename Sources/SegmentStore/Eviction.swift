package import Recording

/// Removes media; nothing else does (I3, I7).
package enum Eviction {
    /// For cvr-sync, whose catalog already permits it: unlinks and makes that durable.
    ///
    /// A segment that is gone already is a success. An emptied hour that ended 2 h before `now` is removed as well.
    package static func evict(
        _ name: SegmentFileName, in cache: CacheDirectory, now: WallTime
    ) throws(SegmentStoreError) {
    }

    /// For a worker under I7's exception: the journal record first, then as above.
    package static func evict(
        _ name: SegmentFileName, because reason: EvictionReason, in cache: CacheDirectory, journal: Journal,
        now: WallTime
    ) throws(SegmentStoreError) {
    }

    /// Removes hour and day directories that are empty and ended 2 h before `now`.
    package static func removeEmptyDirectories(in cache: CacheDirectory, now: WallTime) throws(SegmentStoreError) {
    }
}
