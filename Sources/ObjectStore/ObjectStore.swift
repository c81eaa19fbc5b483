package import Recording

/// Where assets live.
///
/// Objects are immutable: written once under a key, never overwritten. Documents are small and written again. Every call
/// blocks, so the caller brings a thread that it can spare; calls may come from several at once. A call that throws may
/// have had its effect: its outcome is resolved by looking (I8). Errors are `ObjectStoreError`; `scope` says what to do
/// next.
package protocol ObjectStore: Sendable {
    /// True where absence looks like emptiness, as with a mount point: then the mark is read before every conclusion. A
    /// service answers or fails.
    var canVanish: Bool { get }

    /// Gets the store ready: reachable, writable, its own leftovers removed, by no write that is billed. Cheap enough to
    /// be asked again after every outage.
    func prepare() throws

    /// Finds out what the store can do, by a document that exists and stays as it is; it then does without the rest.
    func probe(_ document: DocumentKey) throws -> StoreCapabilities

    /// Writes a local file under `key`, with its metadata, unless an object is there already.
    ///
    /// `.exists` says nothing about what is there, and changes nothing: `compare`. The object becomes visible whole or
    /// not at all, and never before its metadata; on return it survives a power cut. Throws with scope `.object` when
    /// the file no longer has the bytes of `metadata.checksum`.
    func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome

    /// Whether the object is the file that `metadata` describes, by what the store itself vouches for: one request; nil
    /// when there is no object.
    ///
    /// Not what metadata claims: a store that keeps no checksum of its own reads the object back.
    func compare(_ key: ObjectKey, with file: String, _ metadata: ObjectMetadata) throws -> Comparison?

    /// What the store says of an object without reading it; nil when there is none.
    func head(_ key: ObjectKey) throws -> StoredObject?

    /// CRC-32C of the bytes that the store holds now, by its own word or by reading them; nil when there is no object.
    func checksum(of key: ObjectKey) throws -> UInt32?

    /// `count` bytes at `offset`, fewer at the object's end. Throws when there is no object.
    func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8]

    /// Removes objects and their metadata, as many at a time as the store takes; there being none is success.
    ///
    /// Returns those that refuse to go, and why.
    func delete(_ keys: [ObjectKey]) throws -> [ObjectKey: ObjectStoreError]

    /// The names of the folders right in a folder, such as the assets of a site or the days of an asset, ascending; none
    /// where there is no such folder. Those right in "" are the sites. It costs what it returns, whatever lies in them.
    func folders(in folder: String) throws -> [String]

    /// Whether a folder is there, such as a site's; of a service, whether anything is in it.
    func holds(_ folder: String) throws -> Bool

    /// The documents right in a folder, such as `<site>/<asset>/holds`, by name.
    func documents(in folder: String) throws -> [DocumentKey]

    /// Nil when there is none. One of more than `StoredDocument.limit` bytes throws with scope `.object`.
    func document(_ key: DocumentKey) throws -> StoredDocument?

    /// Writes a document whole, if the condition holds; on return it survives a power cut. False when it does not hold.
    func putDocument(_ bytes: [UInt8], as key: DocumentKey, if condition: DocumentCondition) throws -> Bool

    /// There being none is success.
    func deleteDocument(_ key: DocumentKey) throws

    /// Calls `body` with every object whose key starts with the folder `prefix`, in an order of the store's own that
    /// does not change; those up to and with `last` are passed over. Documents are not objects.
    ///
    /// What is written or deleted meanwhile may or may not be seen. What cannot be looked into is told to `skipped`,
    /// and the rest is listed. An error of either ends the listing.
    func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, _ bytes: Int64) throws -> Void
    ) throws
}

extension ObjectStore {
    /// A service has no empty folders.
    package func holds(_ folder: String) throws -> Bool { try !folders(in: folder).isEmpty }
}

package enum PutOutcome: Hashable, Sendable {
    /// Acknowledged, and the store's answer vouched for the checksum.
    case verified
    /// Acknowledged: what is there is still to be compared.
    case stored
    case exists
}

package enum Comparison: Hashable, Sendable {
    case equal, different
}

/// What a store was seen to do.
package struct StoreCapabilities: Hashable, Sendable {
    /// Refuses to write over what exists; else every put is preceded by a look.
    package var putsIfAbsent: Bool
    /// Checks what it receives and says so; else every put is followed by a comparison.
    package var vouches: Bool
    /// Reads a part of an object.
    package var readsRanges: Bool

    package init(putsIfAbsent: Bool, vouches: Bool, readsRanges: Bool) {
        self.putsIfAbsent = putsIfAbsent
        self.vouches = vouches
        self.readsRanges = readsRanges
    }
}

package struct StoredDocument: Hashable, Sendable {
    /// In bytes: whoever reads one has it in memory.
    package static let limit = 32 << 20

    package var bytes: [UInt8]
    /// Another one for other bytes; the store's own word (an ETag).
    package var version: String

    package init(bytes: [UInt8], version: String) {
        self.bytes = bytes
        self.version = version
    }
}

package enum DocumentCondition: Hashable, Sendable {
    case always
    /// There is none.
    case absent
    /// It is still the one that was read.
    case version(String)
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
    package static let gapLimit = 16

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
    /// Silences that the session went on after, in the day that the segment starts in and before the segment's end: the
    /// last 16, ascending, each `from-to-reason` in milliseconds of that day; nil without any.
    ///
    /// A listing has no metadata: whoever asks the last object of a run about its end learns of all the run's.
    package var gaps: [String]?

    package init(
        camera: CameraName, session: Int64, duration: TimeSpan, codecs: String, timescale: Int64, checksum: UInt32,
        seek: [(milliseconds: Int64, offset: Int64)], gaps: [Gap] = [], day: WallTime = .earliest
    ) {
        self.camera = camera.text
        self.session = session
        self.duration = duration.seconds
        self.codecs = codecs
        self.timescale = timescale
        let digits = String(checksum, radix: 16)
        crc32c = String(repeating: "0", count: 8 - digits.count) + digits
        self.seek = Self.thinned(seek).map { [$0.milliseconds, $0.offset] }
        self.gaps = gaps.isEmpty ? nil : gaps.suffix(Self.gapLimit).compactMap { Self.text(of: $0, in: day) }
    }

    private static func text(of gap: Gap, in day: WallTime) -> String? {
        guard let to = gap.to else { return nil }
        // Never shorter than it is: what is just long enough to be a gap stays one.
        let (first, end) = ((gap.from - day).microseconds / 1000, (to - day).microseconds.addingSaturated(999) / 1000)
        return "\(first)-\(end)-\(gap.reason.rawValue)"
    }

    /// `gaps` of a segment that starts in `day`, as far as they can be believed.
    package func gaps(in day: WallTime) -> [Gap] {
        (gaps ?? []).prefix(Self.gapLimit).compactMap { text in
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            // A segment may reach into the next day.
            guard parts.count == 3, let from = Int64(parts[0]), let to = Int64(parts[1]), 0 <= from, from < to,
                to <= 2 * 86_400_000
            else { return nil }
            return Gap(
                from: day + .milliseconds(from), to: day + .milliseconds(to),
                reason: GapReason(rawValue: String(parts[2])) ?? .unknown, detail: "")
        }
    }

    package var checksum: UInt32? { crc32c.utf8.count == 8 ? UInt32(crc32c, radix: 16) : nil }

    private static func thinned<Point>(_ points: [Point]) -> [Point] {
        guard points.count > seekLimit else { return points }
        return (0..<seekLimit).map { points[$0 * points.count / seekLimit] }
    }
}
