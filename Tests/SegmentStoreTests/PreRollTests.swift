import Foundation
import Recording
import SegmentStore
import Testing

@Suite("Pre-roll")
struct PreRollTests {
    let directory: TemporaryDirectory
    let cache: CacheDirectory

    init() throws {
        directory = try TemporaryDirectory()
        cache = try directory.cache()
    }

    @Test("what is put into a file comes back, until the file is removed")
    func files() throws {
        let folder = try PreRollFolder(in: cache)
        let (one, two) = (try folder.begin(), try folder.begin())
        #expect(try one.append([1, 2, 3]) == 0)
        #expect(try one.append([4]) == 3)
        #expect(try two.append([5]) == 0)
        #expect(try one.read(at: 2, count: 2) == [3, 4])
        #expect(throws: SegmentStoreError.self) { try one.read(at: 2, count: 3) }
        try folder.remove(one)
        #expect(try directory.snapshot().keys.sorted() == ["pre-roll/2"])
    }

    @Test("no reader of a cache and no recovery of it takes notice, and the next worker begins without")
    func ignored() throws {
        let journal = try Journal(in: cache, now: Footage.anchor)
        _ = try PreRollFolder(in: cache).begin().append([1, 2, 3])
        #expect(try cache.names().isEmpty && cache.totals() == (0, 0))
        try Eviction.removeEmptyDirectories(in: cache, now: .latest)
        let report = try Recovery.run(
            in: cache, journal: journal, now: Footage.anchor, predecessorEnd: nil, bootChanged: false)
        #expect(report.recovered.isEmpty && report.deferred.isEmpty)
        #expect(try directory.snapshot()["pre-roll/1"] == [1, 2, 3])
        _ = try PreRollFolder(in: cache)
        #expect(try directory.snapshot()["pre-roll/1"] == nil)
        try PreRollFolder.discard(in: cache)
        try PreRollFolder.discard(in: cache)
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/pre-roll"))
    }

    @Test("something else of that name is an error, and stays")
    func occupied() throws {
        try directory.write([7], to: "pre-roll")
        let error = try #require(throws: SegmentStoreError.self) { _ = try PreRollFolder(in: cache) }
        #expect(error.description.contains("/pre-roll"))
        try PreRollFolder.discard(in: cache)
        #expect(try directory.bytes("pre-roll") == [7])
    }
}
