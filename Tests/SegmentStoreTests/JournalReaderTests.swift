import Foundation
import Recording
import SegmentStore
import Testing

@Suite("JournalReader")
struct JournalReaderTests {
    let directory: TemporaryDirectory
    let now = Footage.anchor

    init() throws { directory = try TemporaryDirectory() }

    @Test("without a journal there are no records")
    func absent() throws {
        let batch = try JournalReader.read(in: directory.cache(), from: 0)
        #expect(batch.records.isEmpty)
        #expect(batch.next == 0)
        #expect(!batch.hasMore)
    }

    @Test("a reader beside the writer gets every record once")
    func tail() throws {
        let (cache, journal) = (try directory.cache(), try directory.journal())
        var next: Int64 = 0
        var seen: [Int64] = []
        for index in 0..<30 {
            try journal.append(.gapClose(to: now), at: now)
            guard index % 3 == 0 else { continue }
            let batch = try JournalReader.read(in: cache, from: next)
            seen += batch.records.map(\.sequence)
            next = batch.next
            #expect(!batch.restarted)
        }
        seen += try JournalReader.read(in: cache, from: next).records.map(\.sequence)
        #expect(seen == Array(1...30))
    }

    @Test("at every length that a growing file can have, the reader stops before the torn line and goes on later")
    func everyPrefix() throws {
        for event in JournalTests.everyKind.prefix(4) { try directory.journal().append(event, at: now) }
        let whole = try directory.bytes("journal")
        let growing = try TemporaryDirectory()
        var next: Int64 = 0
        var seen: [Int64] = []
        for length in 0...whole.count {
            try growing.write(Array(whole.prefix(length)), to: "journal")
            let batch = try JournalReader.read(in: growing.cache(), from: next)
            #expect(!batch.restarted)
            next = batch.next
            seen += batch.records.map(\.sequence)
        }
        #expect(seen == [1, 2, 3, 4])
        #expect(next == Int64(whole.count))
    }

    @Test("a long journal comes in pieces")
    func pieces() throws {
        let journal = try directory.journal()
        for _ in 0..<2500 { try journal.append(.gapClose(to: now), at: now) }
        let cache = try directory.cache()
        var batch = try JournalReader.read(in: cache, from: 0)
        var seen = batch.records.map(\.sequence)
        var reads = 1
        while batch.hasMore {
            batch = try JournalReader.read(in: cache, from: batch.next)
            seen += batch.records.map(\.sequence)
            reads += 1
        }
        #expect(reads > 2)
        #expect(seen == Array(1...Int64(seen.count)))
        #expect(seen.count >= 2500)
    }

    @Test("an offset into another journal starts over", arguments: [Int64(5), 1_000_000, -1, .max])
    func restart(offset: Int64) throws {
        for event in JournalTests.everyKind { try directory.journal().append(event, at: now) }
        let batch = try JournalReader.read(in: directory.cache(), from: offset)
        #expect(batch.restarted)
        #expect(batch.records.map(\.event) == JournalTests.everyKind)
    }
}
