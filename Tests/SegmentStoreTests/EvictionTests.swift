import Foundation
import Recording
import SegmentStore
import Testing

@Suite("Eviction")
struct EvictionTests {
    let directory: TemporaryDirectory
    let cache: CacheDirectory
    let name = SegmentFileName(start: Footage.anchor, id: SegmentID(session: 1, counter: 0))

    init() throws {
        directory = try TemporaryDirectory()
        cache = try directory.cache()
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: directory.path + "/" + path) }

    @Test("removes the segment; its hour stays for 2 h after its end, then goes with its day")
    func hours() throws {
        try directory.write([1], to: name.relativePath)
        try Eviction.evict(name, in: cache, now: Footage.anchor + .seconds(7200))
        #expect(exists("2026-11-23/09"))
        #expect(try cache.listing().isEmpty)
        try Eviction.evict(name, in: cache, now: Footage.anchor + .seconds(7200))
        try directory.write([1], to: name.relativePath)
        try Eviction.evict(name, in: cache, now: Footage.anchor + .seconds(4 * 3600))
        #expect(!exists("2026-11-23"))
        try Eviction.evict(name, in: cache, now: Footage.anchor + .seconds(4 * 3600))
    }

    @Test("an hour that holds anything stays, whatever the clock says (I11)")
    func kept() throws {
        try directory.write([1], to: name.relativePath)
        try directory.write([1], to: "2026-11-23/09/notes.txt")
        try directory.write([1], to: "2026-11-23/08/00-00.000Z.1.1.mp4")
        try Eviction.evict(name, in: cache, now: .latest)
        try Eviction.removeEmptyDirectories(in: cache, now: .latest)
        #expect(exists("2026-11-23/09/notes.txt"))
        #expect(try cache.listing().count == 1)
    }

    @Test("a sweep removes empty hours and days that are over, and nothing else")
    func sweep() throws {
        for path in ["2026-11-22/23", "2026-11-23/06", "2026-11-23/09", "other/09", "2026-11-20"] {
            try FileManager.default.createDirectory(
                atPath: directory.path + "/" + path, withIntermediateDirectories: true)
        }
        try directory.write([1], to: "2026-11-21/05/00-00.000Z.1.1.mp4")
        try Eviction.removeEmptyDirectories(in: cache, now: Footage.anchor)
        #expect(!exists("2026-11-22") && !exists("2026-11-23/06") && !exists("2026-11-20"))
        #expect(exists("2026-11-23/09") && exists("other/09") && exists("2026-11-21/05"))
    }

    @Test("a worker's eviction is journalled with what was lost")
    func journalled() throws {
        try directory.write(Footage.closed(fragments: 3), to: name.relativePath)
        try directory.write([9, 9], to: name.with(counter: 1).relativePath)
        let journal = try directory.journal()
        for counter in Int64(0)...2 {
            try Eviction.evict(
                name.with(counter: counter), because: .budget, in: cache, journal: journal, now: Footage.anchor)
        }
        let evicted = try directory.records().compactMap { record -> [Int64]? in
            guard case .evicted(let id, _, let duration, let bytes, .budget) = record.event else { return nil }
            return [id.counter, duration.microseconds / 1000, bytes]
        }
        let bytes = Int64(try Footage.closed(fragments: 3).count)
        #expect(evicted == [[0, 3000, bytes], [1, 0, 2], [2, 0, 0]])
        #expect(try cache.listing().isEmpty)
    }
}

@Suite("EvictableWatermark")
struct EvictableWatermarkTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("is read as published, the latest one")
    func roundTrip() throws {
        let cache = try directory.cache()
        #expect(try EvictableWatermark.read(in: cache) == nil)
        for id in [SegmentID(session: 1, counter: 5), SegmentID(session: 12, counter: 0)] {
            try EvictableWatermark.publish(id, in: cache)
            #expect(try EvictableWatermark.read(in: cache) == id)
        }
    }

    @Test("anything but a whole watermark permits nothing")
    func damaged() throws {
        let cache = try directory.cache()
        try EvictableWatermark.publish(SegmentID(session: 12, counter: 345), in: cache)
        let whole = try directory.bytes("evictable")
        for length in 0..<whole.count {
            try directory.write(Array(whole.prefix(length)), to: "evictable")
            #expect(try EvictableWatermark.read(in: cache) == nil)
        }
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= 1
            try directory.write(bytes, to: "evictable")
            #expect(try EvictableWatermark.read(in: cache) == nil)
        }
    }
}

extension SegmentFileName {
    fileprivate func with(counter: Int64) -> SegmentFileName {
        SegmentFileName(start: start, id: SegmentID(session: id.session, counter: counter))
    }
}
