import Foundation
import FragmentedMP4
import Recording
import SegmentStore
import Testing

@Suite("SegmentAppender")
struct SegmentAppenderTests {
    let directory: TemporaryDirectory
    let cache: CacheDirectory
    let journal: Journal
    let now = Footage.anchor

    init() throws {
        directory = try TemporaryDirectory()
        cache = try directory.cache()
        journal = try directory.journal()
    }

    @Test("a segment is a partial until it is closed, and then exactly what the encoder made")
    func life() throws {
        var footage = try Footage()
        let appender = try SegmentAppender(footage, in: cache, journal)
        #expect(try directory.paths() == [footage.name.relativePath + ".partial"])
        #expect(journal.state.unresolved.map(\.id) == [footage.id])
        for _ in 0..<3 {
            try appender.append(footage.fragment())
            try appender.sync()
        }
        #expect(try cache.listing().first?.bytes == appender.length)
        let name = try appender.close(
            trailer: footage.encoder.trailer(), duration: .seconds(3), journal: journal, now: now)
        #expect(name == footage.name)
        #expect(try directory.paths() == [name.relativePath])
        #expect(try directory.bytes(name.relativePath) == Footage.closed(fragments: 3))
        #expect(journal.state.unresolved.isEmpty)
        #expect(
            try directory.records().last?.event
                == .segmentClosed(
                    footage.id, start: footage.start.wholeMilliseconds, duration: .seconds(3),
                    bytes: Int64(Footage.closed(fragments: 3).count)))
    }

    @Test("the intent is journalled before the file exists")
    func hintFirst() throws {
        let footage = try Footage()
        let appender = try SegmentAppender(footage, in: cache, journal)
        #expect(try directory.records().map(\.event) == [.segmentOpen(footage.id, start: footage.start)])
        withExtendedLifetime(appender) {}
    }

    @Test("never opens a file that exists, and leaves it alone")
    func exclusive() throws {
        let footage = try Footage()
        try directory.write([1, 2, 3], to: footage.name.relativePath + ".partial")
        let error = try #require(throws: SegmentStoreError.self) { try SegmentAppender(footage, in: cache, journal) }
        #expect(error.errno == EEXIST)
        #expect(try directory.bytes(footage.name.relativePath + ".partial") == [1, 2, 3])
    }

    @Test("never replaces a closed segment (I8)")
    func immutable() throws {
        var footage = try Footage()
        let appender = try SegmentAppender(footage, in: cache, journal)
        try appender.append(footage.fragment())
        try directory.write([1, 2, 3], to: footage.name.relativePath)
        #expect(throws: SegmentStoreError.self) {
            try appender.close(
                trailer: footage.encoder.trailer(), duration: .seconds(1), journal: journal, now: now)
        }
        #expect(try directory.bytes(footage.name.relativePath) == [1, 2, 3])
    }

    @Test("the directory of an hour that vanishes meanwhile is made again")
    func vanishedHour() throws {
        let first = try SegmentAppender(Footage(), in: cache, journal)
        try FileManager.default.removeItem(atPath: directory.path + "/2026-11-23")
        let second = try SegmentAppender(Footage(counter: 1), in: cache, journal)
        #expect(try directory.paths().count == 1)
        withExtendedLifetime((first, second)) {}
    }

    @Test("set aside: the file stays, is no partial and takes nothing more; recovery closes it")
    func setAside() throws {
        var footage = try Footage()
        let appender = try SegmentAppender(footage, in: cache, journal)
        try appender.append(footage.fragment())
        try appender.setAside()
        #expect(try directory.paths() == [footage.name.relativePath + ".suspect"])
        #expect(throws: SegmentStoreError.self) { try appender.append(footage.fragment()) }
        #expect(throws: SegmentStoreError.self) { try appender.sync() }
        #expect(throws: SegmentStoreError.self) {
            try appender.close(trailer: [], duration: .zero, journal: journal, now: now)
        }
        let copy = try directory.copy()
        #expect(try copy.recover().recovered.map(\.name) == [footage.name])
        #expect(try copy.bytes(footage.name.relativePath) == Footage.closed(fragments: 1))
    }

    @Test("a directory that went away is an error with a next step, not a crash")
    func unplugged() throws {
        var footage = try Footage()
        let appender = try SegmentAppender(footage, in: cache, journal)
        try FileManager.default.removeItem(atPath: directory.path)
        try appender.append(footage.fragment())
        let error = try #require(throws: SegmentStoreError.self) {
            try appender.close(
                trailer: footage.encoder.trailer(), duration: .seconds(1), journal: journal, now: now)
        }
        #expect(error.nextStep.contains("cache disk"))
        #expect(throws: SegmentStoreError.self) { try SegmentAppender(Footage(counter: 1), in: cache, journal) }
        #expect(throws: SegmentStoreError.self) { try appender.setAside() }
    }
}
