import FragmentedMP4
package import Recording
package import SegmentStore

/// Segments that their worker still appends to, as far as they can be read now.
package enum GrowingSegments {
    /// `key` says where a segment's object will be.
    package static func rows(
        _ names: [SegmentFileName], in cache: CacheDirectory, key: (WallTime, SegmentID) throws -> String
    ) throws -> [SegmentRow] {
        try names.filter(\.isPartial).compactMap { name -> SegmentRow? in
            do {
                let scan = try SegmentScan.growing(name, in: cache)
                return scan.row(
                    cache.camera, key: try key(name.start, name.id), bytes: scan.media.mediaEnd, state: .recording,
                    isLocal: true)
            } catch is MP4Error {
                return nil  // Its init part is not written yet.
            } catch let error as SegmentStoreError where error.isNoSuchFile {
                return nil  // Discarded meanwhile.
            }
        }
    }
}
