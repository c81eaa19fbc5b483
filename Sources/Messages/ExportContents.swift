/// What `/export/{camera}` of cvr-playback answers: the files that hold a range, one a codec.
package struct ExportContents: Codable, Hashable, Sendable {
    /// A recorded segment that a file has bytes of.
    package struct Segment: Codable, Hashable, Sendable {
        package let session: Int64
        package let counter: Int64
        /// RFC 3339, of its first picture in the file.
        package let start: String
        /// Seconds of it in the file.
        package let duration: Double
        /// Of it in the file.
        package let bytes: Int64
        /// CRC-32C of the segment's whole file as it was recorded, in hexadecimal; nil until it was read as a whole.
        package let checksum: String?
        /// In the store.
        package let key: String

        package init(
            session: Int64, counter: Int64, start: String, duration: Double, bytes: Int64, checksum: String?,
            key: String
        ) {
            self.session = session
            self.counter = counter
            self.start = start
            self.duration = duration
            self.bytes = bytes
            self.checksum = checksum
            self.key = key
        }
    }

    package struct File: Codable, Hashable, Sendable {
        package let from: String
        package let to: String
        package let bytes: Int64
        /// Names these very bytes.
        package let etag: String
        /// Where they are served, relative to the address of this answer.
        package let url: String
        package let segments: [Segment]

        package init(from: String, to: String, bytes: Int64, etag: String, url: String, segments: [Segment]) {
            self.from = from
            self.to = to
            self.bytes = bytes
            self.etag = etag
            self.url = url
            self.segments = segments
        }
    }

    package let camera: String
    package let from: String
    package let to: String
    package let ranges: [File]

    package init(camera: String, from: String, to: String, ranges: [File]) {
        self.camera = camera
        self.from = from
        self.to = to
        self.ranges = ranges
    }
}
