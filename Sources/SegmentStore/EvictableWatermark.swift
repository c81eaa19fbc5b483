package import Recording

/// cvr-sync's word that every segment up to this one is verified; the only thing that it writes into a cache.
package enum EvictableWatermark {
    /// Nil when there is none that checks: then nothing is known to be verified.
    package static func read(in cache: CacheDirectory) throws(SegmentStoreError) -> SegmentID? { nil }

    /// By rename, so that a reader sees the old or the new one.
    package static func publish(_ id: SegmentID, in cache: CacheDirectory) throws(SegmentStoreError) {}
}
