/// What the catalog knows of one segment: everything that a listing shows and playback needs.
///
/// Owned by cvr-sync alone (I7). Derived from the segment's own bytes, wherever they are, and from the journals (I6).
package struct SegmentRow: Hashable, Sendable {
    package var camera: CameraName
    package var id: SegmentID
    /// Object key, relative to the store's root.
    package var key: String
    /// Wall time of the first sample.
    package var start: WallTime
    package var duration: TimeSpan
    package var bytes: Int64
    package var media: MediaIndex
    /// CRC-32C of the whole file; nil until it was read as a whole.
    package var checksum: UInt32?
    package var state: SegmentState
    /// The cache holds a copy.
    package var isLocal: Bool
    /// A write to the store was begun or is suspected, and its outcome is not known: look before writing (I8).
    package var isUncertain: Bool
    /// `media` was read from the bytes; false while only a journal speaks for the segment.
    package var isRead: Bool

    package init(
        camera: CameraName, id: SegmentID, key: String, start: WallTime, duration: TimeSpan, bytes: Int64,
        media: MediaIndex = MediaIndex(), checksum: UInt32? = nil, state: SegmentState, isLocal: Bool,
        isUncertain: Bool = false, isRead: Bool
    ) {
        self.camera = camera
        self.id = id
        self.key = key
        self.start = start
        self.duration = duration
        self.bytes = bytes
        self.media = media
        self.checksum = checksum
        self.state = state
        self.isLocal = isLocal
        self.isUncertain = isUncertain
        self.isRead = isRead
    }

    package var end: WallTime { start + duration }
}

/// Where a segment's media is inside its file: enough to serve ranges without opening it.
package struct MediaIndex: Hashable, Sendable {
    /// One track's place on the session's media time line.
    package struct Track: Hashable, Sendable, Codable {
        package var codec: String
        package var timescale: Int64
        /// `tfdt` of its first sample.
        package var baseDecodeTime: Int64

        package init(codec: String, timescale: Int64, baseDecodeTime: Int64) {
            self.codec = codec
            self.timescale = timescale
            self.baseDecodeTime = baseDecodeTime
        }
    }

    package struct Fragment: Hashable, Sendable {
        /// Of its checksum box, from the start of the file.
        package var offset: Int64
        /// Playback can start here.
        package var isKey: Bool
        /// `tfdt` of the first track, or of the first track that has samples in it.
        package var decodeTime: Int64

        package init(offset: Int64, isKey: Bool, decodeTime: Int64) {
            self.offset = offset
            self.isKey = isKey
            self.decodeTime = decodeTime
        }
    }

    package var initLength: Int64
    /// End of the last whole fragment, before `mfra`.
    package var mediaEnd: Int64
    package var fragments: [Fragment]
    package var tracks: [Track]
    /// Samples in the first track.
    package var frames: Int64
    /// RFC 6381, comma-separated.
    package var codecs: String
    /// CRC-32C of the `moov` box: segments that share it play with one another's init part; nil while nobody read it.
    package var format: UInt32?

    package init(
        initLength: Int64 = 0, mediaEnd: Int64 = 0, fragments: [Fragment] = [], tracks: [Track] = [],
        frames: Int64 = 0, codecs: String = "", format: UInt32? = nil
    ) {
        self.initLength = initLength
        self.mediaEnd = mediaEnd
        self.fragments = fragments
        self.tracks = tracks
        self.frames = frames
        self.codecs = codecs
        self.format = format
    }
}
