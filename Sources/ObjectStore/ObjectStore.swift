package import Recording

/// Where assets live.
///
/// Objects are immutable: written once under a key, never overwritten. Every call blocks, so the caller brings a
/// thread that it can spare. A call that throws may have had its effect: its outcome is resolved by looking (I8).
/// Errors are `ObjectStoreError`; `scope` says what to do next.
package protocol ObjectStore: Sendable {
    /// Gets the store ready: reachable, writable, its own leftovers removed. Cheap enough to be asked again after
    /// every outage.
    func prepare() throws

    /// The mark that `setIdentity` left for a site; nil when there is none, as in a store that is new, was emptied,
    /// or is not the one that was meant.
    func identity(of site: SiteName) throws -> String?

    /// Marks a prepared store, so that it can be told from every other one; on return the mark survives a power cut.
    func setIdentity(_ identity: String, of site: SiteName) throws

    /// Writes a local file under `key`, with its metadata, unless an object is there already.
    ///
    /// `.exists` says nothing about what is there, and changes nothing: compare `checksum(of:)`. The object becomes
    /// visible whole or not at all, and never before its metadata; on return it survives a power cut. Throws with
    /// scope `.object` when the file no longer has `metadata.bytes` bytes with that checksum.
    func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome

    /// What the store says of an object without reading it; nil when there is none.
    func head(_ key: ObjectKey) throws -> StoredObject?

    /// CRC-32C of the bytes that the store holds now, vouched for by the store itself; nil when there is no object.
    ///
    /// Not what metadata claims: a store that cannot compute it reads the object back.
    func checksum(of key: ObjectKey) throws -> UInt32?

    /// `count` bytes at `offset`, fewer at the object's end. Throws when there is no object.
    func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8]

    /// Removes an object and its metadata; there being none is success.
    func delete(_ key: ObjectKey) throws

    /// Calls `body` with every object whose key starts with the folder `prefix`, in an order of the store's own that
    /// does not change; those up to and with `last` are passed over.
    ///
    /// What is written or deleted meanwhile may or may not be seen. What cannot be looked into is told to `skipped`,
    /// and the rest is listed. An error of either ends the listing.
    func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, _ bytes: Int64) throws -> Void
    ) throws
}

package enum PutOutcome: Hashable, Sendable {
    case stored, exists
}

/// An object as the store describes it.
package struct StoredObject: Hashable, Sendable {
    package var bytes: Int64
    /// Nil when it has none that we can read: written by somebody else, or older than its metadata.
    package var metadata: ObjectMetadata?

    package init(bytes: Int64, metadata: ObjectMetadata?) {
        self.bytes = bytes
        self.metadata = metadata
    }
}

/// What is stored beside an object: enough to rebuild a catalog and to seek without a download.
///
/// At most 1.5 KB as ASCII, since S3 takes 2 KB; the names are the wire's.
package struct ObjectMetadata: Hashable, Sendable, Codable {
    package static let seekLimit = 20

    package var version = 1
    package var camera: String
    package var session: Int64
    /// Seconds.
    package var duration: Double
    /// RFC 6381, comma-separated.
    package var codecs: String
    /// Of the first track.
    package var timescale: Int64
    /// Eight hexadecimal digits.
    package var crc32c: String
    /// At most 20 pairs: milliseconds from the start, byte offset of a fragment that starts with a key.
    package var seek: [[Int64]]

    package init(
        camera: CameraName, session: Int64, duration: TimeSpan, codecs: String, timescale: Int64, checksum: UInt32,
        seek: [(milliseconds: Int64, offset: Int64)]
    ) {
        self.camera = camera.text
        self.session = session
        self.duration = duration.seconds
        self.codecs = codecs
        self.timescale = timescale
        let digits = String(checksum, radix: 16)
        crc32c = String(repeating: "0", count: 8 - digits.count) + digits
        self.seek = Self.thinned(seek).map { [$0.milliseconds, $0.offset] }
    }

    package var checksum: UInt32? { crc32c.utf8.count == 8 ? UInt32(crc32c, radix: 16) : nil }

    private static func thinned<Point>(_ points: [Point]) -> [Point] {
        guard points.count > seekLimit else { return points }
        return (0..<seekLimit).map { points[$0 * points.count / seekLimit] }
    }
}
