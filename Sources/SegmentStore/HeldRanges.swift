import CLinux
import Checksums
package import Recording

/// cvr-sync's word on what of a camera's cache may not be dropped though it is not in the store: legal holds.
package enum HeldRanges {
    private static let name = "held"
    private static let limit = 1 << 20
    /// What nobody can read may hold anything.
    private static let everything = [WallTime.earliest..<WallTime.latest]

    /// Empty when nothing is held.
    package static func read(in cache: CacheDirectory) throws(SegmentStoreError) -> [Range<WallTime>] {
        do {
            let file = try Descriptor(name, in: cache.root, O_RDONLY | O_NOFOLLOW)
            return decode(try file.read(at: 0, count: limit)) ?? everything
        } catch {
            guard error.errno == ENOENT else { throw error }
            return []
        }
    }

    /// By rename, and only when it is news.
    package static func publish(_ ranges: [Range<WallTime>], in cache: CacheDirectory) throws(SegmentStoreError) {
        guard try read(in: cache) != ranges else { return }
        let text = ranges.map { "\($0.lowerBound.rfc3339Microseconds) \($0.upperBound.rfc3339Microseconds)\n" }.joined()
        let file = try Descriptor(name + ".new", in: cache.root, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
        try file.write(Array("\(CRC32C(Array(text.utf8)).hex)\n\(text)".utf8), at: 0)
        try file.syncData()
        try cache.root.rename(name + ".new", over: name)
    }

    /// Nil for what `publish` did not write.
    private static func decode(_ bytes: [UInt8]) -> [Range<WallTime>]? {
        guard bytes.count > 9, String(decoding: bytes.prefix(8), as: UTF8.self) == CRC32C(bytes.dropFirst(9)).hex else {
            return bytes.isEmpty ? nil : bytes.count == 9 ? [] : nil
        }
        var ranges: [Range<WallTime>] = []
        for line in String(decoding: bytes.dropFirst(9), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let from = WallTime(rfc3339: words[0]), let to = WallTime(rfc3339: words[1]),
                from < to
            else { return nil }
            ranges.append(from..<to)
        }
        return ranges
    }
}

extension SegmentFileName {
    /// True when a part of the segment may be in one of the ranges; `next` is the cache's next segment, which tells the
    /// end of this one if it is of the same session.
    package func isHeld(by ranges: [Range<WallTime>], before next: SegmentFileName?) -> Bool {
        let follower = next.flatMap { $0.id.session == id.session && $0.start > start ? $0.start : nil }
        // No segment is longer than an hour and the time to its next keyframe.
        let end = follower ?? start + .seconds(2 * 3600)
        return ranges.contains { $0.lowerBound < end && start < $0.upperBound }
    }
}
