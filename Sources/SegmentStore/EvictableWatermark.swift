import CLinux
import Checksums
package import Recording

extension SegmentID {
    /// Before all: as a watermark, nothing may go.
    package static let beforeAll = SegmentID(session: 0, counter: 0)
}

/// cvr-sync's word that every segment up to this one is verified; beside its ledger, all that it writes into a cache.
package enum EvictableWatermark {
    private static let name = "evictable"

    /// Nil when there is none that checks: then nothing is known to be verified.
    package static func read(in cache: CacheDirectory) throws(SegmentStoreError) -> SegmentID? {
        do {
            let file = try Descriptor(name, in: cache.root, O_RDONLY | O_NOFOLLOW)
            return decode(try file.read(at: 0, count: 128))
        } catch {
            guard error.errno == ENOENT else { throw error }
            return nil
        }
    }

    /// By rename, so that a reader sees the old or the new one.
    package static func publish(_ id: SegmentID, in cache: CacheDirectory) throws(SegmentStoreError) {
        let text = "\(id.session) \(id.counter)"
        let line = Array("\(CRC32C(Array(text.utf8)).hex) \(text)\n".utf8)
        let file = try Descriptor(name + ".new", in: cache.root, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
        try file.write(line, at: 0)
        try file.syncData()
        Failpoint.reach(.watermarkWritten)
        try cache.root.rename(name + ".new", over: name)
    }

    private static func decode(_ line: [UInt8]) -> SegmentID? {
        let parts = line.split(separator: 10, omittingEmptySubsequences: false)
        guard parts.count == 2, let text = parts.first else { return nil }
        let words = String(decoding: text, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0] == CRC32C(Array(words[1].utf8)).hex else { return nil }
        let numbers = words[1].split(separator: " ").map { Int64($0) }
        guard numbers.count == 2, let session = numbers[0], let counter = numbers[1] else { return nil }
        return SegmentID(session: session, counter: counter)
    }
}
