package import Recording

/// One camera's cache: an existing directory, and everything in it relative to it.
///
/// Never creates the directory itself: an unmounted disk must not be silently replaced by its mount point.
package final class CacheDirectory {
    package let path: String
    package let camera: CameraName

    package init(path: String, camera: CameraName) throws(SegmentStoreError) {
        self.path = path
        self.camera = camera
    }

    /// Every segment of every stage with its size, by session and counter.
    package func listing() throws(SegmentStoreError) -> [(name: SegmentFileName, bytes: Int64)] { [] }

    /// The highest counter of a session, whatever its stage.
    package func newestSegment(ofSession session: Int64) throws(SegmentStoreError) -> SegmentFileName? { nil }

    package func totals() throws(SegmentStoreError) -> (segments: Int, bytes: Int64) { (0, 0) }

    /// Of the disk that holds the cache; an error is never taken for space.
    package func freeSpace() throws(SegmentStoreError) -> FreeSpace { FreeSpace(available: 0, total: 0) }

    package func diskKind() throws(SegmentStoreError) -> DiskKind { .flash }

    /// Opens a segment for reading, under its final name if it was closed meanwhile.
    package func open(_ name: SegmentFileName) throws(SegmentStoreError) -> SegmentFile { SegmentFile() }
}

/// Bytes of a disk.
package struct FreeSpace: Hashable, Sendable {
    /// For this process: without what is reserved for root.
    package var available: Int64
    package var total: Int64
}

/// A segment's bytes, open for reading.
package final class SegmentFile {
    package func length() throws(SegmentStoreError) -> Int64 { 0 }
    /// Fewer bytes than asked for only at the end of the file.
    package func read(at offset: Int64, count: Int) throws(SegmentStoreError) -> [UInt8] { [] }
}
