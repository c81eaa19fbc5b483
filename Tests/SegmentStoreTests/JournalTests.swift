import Checksums
import Foundation
import Recording
import SegmentStore
import TestSupport
import Testing

@Suite("Journal")
struct JournalTests {
    let directory: TemporaryDirectory
    let now = Footage.anchor

    init() throws { directory = try TemporaryDirectory() }

    static let everyKind: [JournalEvent] = [
        .sessionStart(session: 3, anchor: Footage.anchor, quality: .synchronised, codecs: "avc1.4d401f,mp4a.40.2"),
        .sessionStart(
            session: 3, anchor: Footage.anchor, quality: .synchronised, codecs: "",
            names: SessionNames(asset: String(repeating: "ü%", count: 130), file: "clip 100%=é.mp4")),
        .sessionStart(
            session: 3, anchor: Footage.anchor, quality: .synchronised, codecs: "", names: SessionNames(file: "x")),
        .segmentOpen(SegmentID(session: 3, counter: 0), start: Footage.anchor),
        .segmentClosed(
            SegmentID(session: 3, counter: 0), start: Footage.anchor, duration: .milliseconds(30_040), bytes: 7_500_000),
        .segmentDiscarded(SegmentID(session: 3, counter: 1)),
        .formatChange(SegmentID(session: 3, counter: 2), codecs: "hvc1.1.6.L93.B0"),
        .clockStep(from: Footage.anchor, to: Footage.anchor - .seconds(3600)),
        .sessionEnd(session: 3, end: Footage.anchor + .seconds(30), reason: .networkLoss),
        .handOver(session: 3, HandOver(at: Footage.anchor, keyframe: FrameMark(of: [1]))),
        .handOver(
            session: 3,
            HandOver(
                at: Footage.anchor, keyframe: FrameMark(of: [1]),
                heard: [1: FrameMark(of: [2, 3]), 2: FrameMark(of: [])])),
        .gapOpen(from: Footage.anchor, reason: .cameraOffline, detail: "a b=c 100 %\n\u{7F}naïve \u{0}"),
        .gapClose(to: Footage.anchor + .seconds(40)),
        .evicted(
            SegmentID(session: 1, counter: 9), start: Footage.anchor, duration: .seconds(30), bytes: 1, reason: .budget),
        .recovered(SegmentID(session: 3, counter: 3), end: Footage.anchor, bytes: 12),
    ]

    @Test("every kind is read back as it was written, in order and without holes")
    func roundTrip() throws {
        let journal = try directory.journal()
        for event in Self.everyKind { try journal.append(event, at: now) }
        let records = try directory.records()
        #expect(records.map(\.event) == Self.everyKind)
        #expect(records.map(\.sequence) == Array(1...Int64(Self.everyKind.count)))
        #expect(records.allSatisfy { $0.time == now })
    }

    @Test("the line is the one of ARCHITECTURE.md")
    func line() throws {
        try directory.journal().append(.gapOpen(from: now, reason: .diskFull, detail: "50 % = half"), at: now)
        let text = String(decoding: try directory.bytes("journal"), as: UTF8.self)
        let rest =
            "1 2026-11-23T09:48:00.123456Z gap-open from=2026-11-23T09:48:00.123456Z reason=diskFull "
            + "detail=50%20%25%20%3D%20half"
        #expect(text == "\(CRC32C(Array(rest.utf8)).hex) \(rest)\n")
    }

    @Test("whatever a camera says, a record stays short and on its line")
    func longDetail() throws {
        let journal = try directory.journal()
        let detail = String(repeating: "é\n", count: 10_000)
        try journal.append(.gapOpen(from: now, reason: .cameraRefused, detail: detail), at: now)
        try journal.append(.gapClose(to: now), at: now)
        #expect(try directory.bytes("journal").count < 2500)
        guard case .gapOpen(_, _, let kept) = try directory.records().first?.event else {
            Issue.record("no gap")
            return
        }
        #expect(detail.hasPrefix(kept))
        #expect((500...512).contains(kept.utf8.count))
    }

    @Test("a reopened journal knows the last session, its end, the open gap and what is unresolved")
    func state() throws {
        let first = try directory.journal()
        #expect(first.state == JournalState())
        try first.append(.sessionStart(session: 4, anchor: now, quality: .synchronised, codecs: ""), at: now)
        try first.append(.segmentOpen(SegmentID(session: 4, counter: 0), start: now), at: now)
        try first.append(
            .segmentClosed(SegmentID(session: 4, counter: 0), start: now, duration: .seconds(5), bytes: 1), at: now)
        try first.append(.segmentOpen(SegmentID(session: 4, counter: 1), start: now), at: now)
        let before = first.state
        #expect(before.lastSession == 4)
        #expect(before.anchor == now)
        #expect(before.mediaEnd == now + .seconds(5))
        #expect(before.sessionEnd == nil)
        #expect(before.unresolved.map(\.id) == [SegmentID(session: 4, counter: 1)])
        try first.append(.sessionEnd(session: 4, end: now + .seconds(9), reason: .stopped), at: now)
        try first.append(.gapOpen(from: now + .seconds(9), reason: .stopped, detail: "x"), at: now)
        #expect(first.state.sessionEnd?.time == now + .seconds(9))
        #expect(first.state.openGap == Gap(from: now + .seconds(9), to: nil, reason: .stopped, detail: "x"))
        let state = first.state
        #expect(throws: SegmentStoreError.self, "one writer") { try directory.journal() }
        #expect(try directory.copy().journal().state == state)
        withExtendedLifetime(first) {}
    }

    @Test("a torn last line is cut, and the records before it and the numbering go on", arguments: [1, 20, 90])
    func tornTail(missing: Int) throws {
        for event in Self.everyKind { try directory.journal().append(event, at: now) }
        let whole = try directory.bytes("journal")
        let torn = try TemporaryDirectory()
        try torn.write(Array(whole.dropLast(missing)), to: "journal")
        #expect(try torn.records().count < Self.everyKind.count)
        let kept = try torn.records()
        try torn.journal().append(.gapClose(to: now), at: now)
        let records = try torn.records()
        #expect(Array(records.prefix(kept.count)) == kept)
        #expect(records.last?.event == .gapClose(to: now))
        #expect(records.map(\.sequence) == Array(1...Int64(records.count)))
        #expect(try torn.bytes("journal").last == 10)
    }

    /// Events without the writer's own notes.
    func events() throws -> [JournalEvent] {
        try directory.records().map(\.event).filter { if case .checkpoint = $0 { false } else { true } }
    }

    /// A journal that knows itself complete, and then every kind of record.
    func writeComplete() throws -> (checkpoint: [UInt8], whole: [UInt8]) {
        _ = try directory.recover()
        let checkpoint = try directory.bytes("journal")
        for event in Self.everyKind { try directory.journal().append(event, at: now) }
        #expect(try directory.journal().state.isComplete)
        return (checkpoint, try directory.bytes("journal"))
    }

    @Test("noise at the end never costs a record before it", arguments: 0..<20)
    func noise(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (_, whole) = try writeComplete()
        let length = Int.random(in: 1...100_000, using: &random)
        let noise: [UInt8] =
            seed % 3 == 0
            ? [UInt8](repeating: 0, count: length) : (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        try directory.write(whole + noise, to: "journal")
        #expect(try events() == Self.everyKind)
        let journal = try directory.journal()
        #expect(journal.state.lastSession == 3)
        #expect(!journal.state.isComplete, "records may have been in there")
        try journal.append(.gapClose(to: now), at: now)
        #expect(try events() == Self.everyKind + [.gapClose(to: now)])
        #expect(try directory.bytes("journal").count < whole.count + 1000)
    }

    @Test("a damaged line costs itself, not what follows, and the journal knows", arguments: 0..<40)
    func damage(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var (checkpoint, bytes) = try writeComplete()
        let offset = Int.random(in: checkpoint.count..<bytes.count - 200, using: &random)
        bytes[offset] ^= UInt8(1 << (seed % 8))
        try directory.write(bytes, to: "journal")
        let left = try events()
        #expect(left.last == Self.everyKind.last)
        #expect((Self.everyKind.count - 2...Self.everyKind.count - 1).contains(left.count))
        #expect(try !directory.journal().state.isComplete)
    }

    @Test("nothing in a journal file traps reader or writer", arguments: 0..<60)
    func garbage(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let words = [
            "1", "-1", "99999999999999999999", "gap-open", "checkpoint", "session=9223372036854775807", "=", "%",
            "%zz", "from=", "open=1.2@x", "2026-11-23T09:48:00Z", "\n", " ", "detail=%F", "counter=-5", "bytes=1e9",
        ]
        var file: [UInt8] = []
        for _ in 0..<50 {
            let rest =
                "\(Int.random(in: 0...60, using: &random)) 2026-11-23T09:48:00Z "
                + (0..<6).map { _ in words.randomElement(using: &random) ?? "" }.joined(separator: " ")
            file += Array("\(CRC32C(Array(rest.utf8)).hex) \(rest)\n".utf8)
        }
        try directory.write(file, to: "journal")
        _ = try directory.records()
        let journal = try directory.journal()
        try journal.append(.gapClose(to: now), at: now)
        #expect(journal.state.lastSession >= 0)
        #expect(try directory.records().last?.event == .gapClose(to: now))
    }

    @Test("a record of a newer build is passed over and keeps its number")
    func newerKind() throws {
        let rest = "1 2027-01-01T00:00:00.000000Z moon-phase phase=full"
        try directory.write(Array("\(CRC32C(Array(rest.utf8)).hex) \(rest)\n".utf8), to: "journal")
        #expect(try directory.journal().append(.gapClose(to: now), at: now).sequence == 2)
        #expect(try directory.records().first?.event == .other(kind: "moon-phase"))
    }

    @Test("a checkpoint every 64 KiB makes opening independent of the journal's age")
    func checkpoints() throws {
        let journal = try directory.journal()
        for index in 0..<1500 {
            let id = SegmentID(session: 7, counter: Int64(index))
            try journal.append(.segmentOpen(id, start: now), at: now)
            if index % 100 != 3 {
                try journal.append(.segmentClosed(id, start: now, duration: .seconds(30), bytes: 1), at: now)
            }
        }
        let state = journal.state
        var bytes = try directory.bytes("journal")
        #expect(bytes.count > 200_000)
        // What is before the last checkpoint is not read: damage there goes unnoticed.
        let copy = try TemporaryDirectory()
        for index in 0..<bytes.count - 131_072 { bytes[index] = 0 }
        try copy.write(bytes, to: "journal")
        #expect(try copy.journal().state == state)
        #expect(state.unresolved.count == 15)
    }

    @Test("headroom lies beyond the end: the file is no longer than its records")
    func headroom() throws {
        let journal = try directory.journal()
        try journal.append(.gapClose(to: now), at: now)
        let attributes = try URL(filePath: directory.path + "/journal").resourceValues(forKeys: [
            .fileSizeKey, .totalFileAllocatedSizeKey,
        ])
        #expect(try #require(attributes.fileSize) < 100)
        #expect(try #require(attributes.totalFileAllocatedSize) >= 65_536)
    }
}
