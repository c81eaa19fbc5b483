import Foundation
import FragmentedMP4
import Recording
import SegmentStore
import TestSupport
import Testing

@Suite("Recovery")
struct RecoveryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// What a worker leaves that dies with a segment open: `fragments` whole ones and `tail` behind them.
    func crash(session: Int64 = 1, counter: Int64 = 0, fragments: Int, tail: [UInt8] = []) throws {
        let (cache, journal) = (try directory.cache(), try directory.journal())
        if journal.state.lastSession < session {
            try journal.append(
                .sessionStart(session: session, anchor: Footage.anchor, quality: .synchronised, codecs: "alaw"),
                at: Footage.anchor)
        }
        var footage = try Footage(session: session, counter: counter)
        let appender = try SegmentAppender(footage, in: cache, journal)
        for _ in 0..<fragments { try appender.append(footage.fragment()) }
        try appender.append(tail)
    }

    func gapOpens() throws -> [JournalEvent] {
        try directory.records().map(\.event).filter { if case .gapOpen = $0 { true } else { false } }
    }

    @Test("a fresh cache has no session and no gap")
    func fresh() throws {
        let report = try directory.recover()
        #expect(report.lastSession == 0)
        #expect(report.openGap == nil)
        #expect(report.recovered.isEmpty && report.deferred.isEmpty)
    }

    @Test(
        "a partial is cut after its last whole fragment and closed as its encoder would have",
        arguments: ["nothing", "zeros", "half a fragment", "a fragment with a wrong byte", "noise", "half a trailer"])
    func tails(kind: String) throws {
        var next = try Footage()
        for _ in 0..<2 { _ = next.fragment() }
        let trailer = next.encoder.trailer()
        var fragment = next.fragment()
        fragment[fragment.count - 5] ^= 0x10
        var random = SeededRandom(seed: 7)
        let tail: [UInt8] =
            switch kind {
            case "zeros": [UInt8](repeating: 0, count: 70_000)
            case "half a fragment": Array(fragment.prefix(fragment.count / 2))
            case "a fragment with a wrong byte": fragment
            case "noise": (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            case "half a trailer": Array(trailer.prefix(trailer.count / 2))
            default: []
            }
        try crash(fragments: 2, tail: tail)
        let report = try directory.recover(predecessorEnd: .workerHang)
        let name = SegmentFileName(start: Footage.anchor, id: SegmentID(session: 1, counter: 0))
        let expected = try Footage.closed(fragments: 2)
        let end = Footage.anchor + .seconds(2)
        #expect(try directory.bytes(name.relativePath) == expected)
        #expect(try directory.paths() == [name.relativePath])
        #expect(report.recovered.map(\.name) == [name])
        #expect(report.recovered.map(\.end) == [end])
        #expect(report.recovered.map(\.bytes) == [Int64(expected.count)])
        #expect(report.lastSession == 1)
        #expect(report.openGap?.from == end)
        #expect(report.openGap?.reason == .workerHang)
        #expect(report.deferred.isEmpty)
    }

    @Test("a recovered segment plays")
    func plays() throws {
        try crash(fragments: 3, tail: [1, 2, 3])
        let name = try #require(try directory.recover().recovered.first?.name)
        let player = Process()
        let errors = Pipe()
        player.executableURL = URL(filePath: "/usr/bin/ffmpeg")
        player.arguments = [
            "-v", "error", "-xerror", "-i", "\(directory.path)/\(name.relativePath)", "-f", "null", "-",
        ]
        player.standardError = errors
        try player.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        player.waitUntilExit()
        #expect(player.terminationStatus == 0 && text.isEmpty, "\(text)")
    }

    @Test("a partial without a whole fragment is unlinked", arguments: [-1, 0, 40, 100_000])
    func noFragment(tail: Int) throws {
        try crash(fragments: 0, tail: [UInt8](repeating: 0, count: max(0, tail)))
        if tail < 0 {
            let path = try #require(try directory.paths().first)
            try directory.write(Array(try directory.bytes(path).prefix(100)), to: path)
        }
        let report = try directory.recover()
        #expect(try directory.paths().isEmpty)
        #expect(report.recovered.isEmpty && report.deferred.isEmpty)
        #expect(report.openGap?.from == Footage.anchor, "the session's anchor: it has no media")
        #expect(try directory.journal().state.unresolved.isEmpty)
    }

    @Test("a large file that is no segment is kept for an operator")
    func damagedInit() throws {
        try crash(fragments: 60)
        let path = try #require(try directory.paths().first)
        var bytes = try directory.bytes(path)
        bytes[30] ^= 0xFF
        try directory.write(bytes, to: path)
        #expect(try directory.recover().recovered.isEmpty)
        #expect(try directory.paths() == [path.replacing(".partial", with: ".suspect")])
    }

    @Test("a partial in another camera's name is not taken for ours")
    func foreign() throws {
        try crash(session: 1, fragments: 2)
        let path = try #require(try directory.paths().first)
        try directory.write(Footage.closed(session: 5, fragments: 2), to: path)
        #expect(try directory.recover().recovered.isEmpty)
        #expect(try directory.paths() == [path.replacing(".partial", with: ".suspect")])
    }

    @Test("run again it changes nothing")
    func idempotent() throws {
        try crash(fragments: 2, tail: [0, 0, 0])
        let first = try directory.recover()
        let snapshot = try directory.snapshot()
        let second = try directory.recover()
        #expect(try directory.snapshot() == snapshot)
        #expect(second.openGap == first.openGap)
        #expect(second.lastSession == first.lastSession)
        #expect(second.recovered.isEmpty)
    }

    @Test("renamed but not journalled: only the record is added")
    func renamed() throws {
        try crash(fragments: 2)
        let partial = try #require(try directory.paths().first)
        let closed = try Footage.closed(fragments: 2)
        try FileManager.default.removeItem(atPath: directory.path + "/" + partial)
        try directory.write(closed, to: partial.replacing(".partial", with: ""))
        let report = try directory.recover()
        #expect(report.recovered.map(\.bytes) == [Int64(closed.count)])
        #expect(report.openGap?.from == Footage.anchor + .seconds(2))
        #expect(try directory.bytes(partial.replacing(".partial", with: "")) == closed)
    }

    @Test("looks at what the journal calls open, not at the archive")
    func cost() throws {
        try crash(fragments: 1)
        _ = try directory.recover()
        // A walk would find this one.
        try directory.write([1], to: "2020-01-01/00/00-00.000Z.9.0.mp4.partial")
        try crash(counter: 1, fragments: 1)
        #expect(try directory.recover().lastSession == 1)
        #expect(try directory.paths().contains { $0.hasPrefix("2020") && $0.hasSuffix("partial") })
    }

    @Test("a partial is found after any clock step", arguments: [-10, -1, 1, 10])
    func clockStep(years: Int64) throws {
        try crash(fragments: 1)
        let stepped = Footage.anchor + .seconds(years * 31_536_000)
        do {
            let (cache, journal) = (try directory.cache(), try directory.journal())
            _ = try Recovery.run(in: cache, journal: journal, now: stepped, predecessorEnd: nil, bootChanged: false)
            var footage = try Footage(session: 2, anchor: stepped)
            try SegmentAppender(footage, in: cache, journal).append(footage.fragment())
        }
        let report = try directory.recover()
        #expect(report.recovered.map(\.name.id.session) == [2])
        #expect(report.lastSession == 2)
    }

    @Test("without its journal the cache is walked: no number is used again, no partial is missed")
    func lostJournal() throws {
        try crash(session: 7, fragments: 2)
        _ = try directory.recover()
        try crash(session: 8, fragments: 3)
        try FileManager.default.removeItem(atPath: directory.path + "/journal")
        let report = try directory.recover(bootChanged: true)
        #expect(report.lastSession == 8)
        #expect(report.recovered.map(\.name.id.session) == [8])
        #expect(report.openGap?.from == Footage.anchor + .seconds(3))
        #expect(report.openGap?.reason == .hostRestart)
        #expect(try directory.journal().state.isComplete)
    }

    @Test("without its journal the number of a closed segment's session is not used again, nor that of one discarded")
    func lostNumber() throws {
        try crash(session: 7, fragments: 2)
        _ = try directory.recover()
        try FileManager.default.removeItem(atPath: directory.path + "/journal")
        let copy = try directory.copy()
        #expect(try copy.recover().lastSession == 7)
        try directory.write([], to: "2026-11-23/10/00-00.000Z.9.0.mp4.partial")
        #expect(try directory.recover().lastSession == 9)
    }

    @Test("records lost to damage are made good by a walk")
    func damagedJournal() throws {
        try crash(session: 1, fragments: 1)
        _ = try directory.recover()
        let before = try directory.bytes("journal")
        try directory.journal().append(.gapClose(to: Footage.anchor + .seconds(3)), at: Footage.anchor)
        try crash(session: 2, counter: 1, fragments: 2)
        try directory.write(before + [UInt8](repeating: 0xAA, count: 500), to: "journal")
        let report = try directory.recover()
        #expect(report.lastSession == 2)
        #expect(report.recovered.map(\.name.id.session) == [2])
        #expect(report.openGap?.from == Footage.anchor + .seconds(5))
        #expect(try gapOpens().count == 2)
    }

    @Test("an open gap stays the one gap, with its reason")
    func openGap() throws {
        try crash(fragments: 1)
        _ = try directory.recover(predecessorEnd: .stopped)
        let again = try directory.recover(predecessorEnd: .workerCrash)
        #expect(again.openGap?.reason == .stopped)
        #expect(try gapOpens().count == 1)
    }

    @Test(
        "an end that the journal knows is the gap's beginning; a reason that explains no silence is not its reason",
        arguments: [(GapReason.stopped, GapReason.stopped), (.networkLoss, .networkLoss), (.clockStep, .workerCrash)])
    func knownEnd(reason: GapReason, expected: GapReason) throws {
        try crash(fragments: 1)
        let end = Footage.anchor + .seconds(17)
        try directory.journal().append(.sessionEnd(session: 1, end: end, reason: reason), at: end)
        let gap = try #require(try directory.recover().openGap)
        #expect(gap.from == end)
        #expect(gap.reason == expected)
    }

    @Test("what the disk refuses is deferred, the rest goes on, and the next start tries again")
    func deferred() throws {
        try crash(fragments: 1)
        try crash(counter: 1, fragments: 2)
        let first = SegmentFileName(start: Footage.anchor, id: SegmentID(session: 1, counter: 0))
        // A closed segment of that name must not be replaced.
        let path = directory.path + "/" + first.relativePath
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let report = try directory.recover()
        #expect(report.deferred.count == 1)
        #expect(report.recovered.map(\.name.id.counter) == [1])
        try FileManager.default.removeItem(atPath: path)
        #expect(try directory.recover().recovered.map(\.name.id.counter) == [0])
        #expect(try directory.bytes(first.relativePath) == Footage.closed(fragments: 1))
    }
}
