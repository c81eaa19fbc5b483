import Foundation
import FragmentedMP4
import Recording
import SegmentStore
import Testing

/// Power cuts on a real ext4: what was synced is there afterwards, and everything that is there is whole.
@Suite("Power cuts", .enabled(if: geteuid() == 0, "mounting a small disk takes root"))
struct PowerCutTests {
    /// What a worker does, and how many fragments of which segment it may then call safe.
    enum Step {
        case create(Int64), append, sync, close
    }

    static let script: [Step] = [
        .create(0), .append, .sync, .append, .append, .sync, .append, .close, .create(1), .append, .sync, .append,
    ]

    @Test("after any step", arguments: 1...script.count)
    func cut(steps: Int) throws {
        let disk = try SmallDisk(.ext4)
        let (synced, events) = try record(disk.directory, Self.script.prefix(steps))
        try disk.cutPower()
        #expect(try disk.directory.records().map(\.event).starts(with: events))
        let report = try disk.directory.recover(bootChanged: true)
        #expect(report.deferred.isEmpty)
        #expect(report.openGap?.reason == .hostRestart)
        let files = try disk.directory.cache().listing().map(\.name)
        #expect(files.allSatisfy { $0.stage == .closed })
        for (counter, count) in synced where count > 0 {
            let name = try #require(files.first { $0.id.counter == counter }, "segment \(counter) is gone")
            let whole = try (count...5).map { try Footage.closed(counter: counter, fragments: $0) }
            #expect(whole.contains(try disk.directory.bytes(name.relativePath)))
        }
    }

    /// Fragments that were synced, by segment, and the records that were; leaves nothing open.
    func record(
        _ directory: TemporaryDirectory, _ steps: ArraySlice<Step>
    ) throws -> (synced: [Int64: Int], events: [JournalEvent]) {
        let (cache, journal) = (try directory.cache(), try directory.journal())
        try journal.append(
            .sessionStart(session: 1, anchor: Footage.anchor, quality: .synchronised, codecs: "alaw"),
            at: Footage.anchor)
        var footage = try Footage()
        var appender: SegmentAppender?
        var appended = 0
        var synced: [Int64: Int] = [:]
        for step in steps {
            switch step {
            case .create(let counter):
                footage = try Footage(counter: counter)
                appender = try SegmentAppender(footage, in: cache, journal)
                appended = 0
            case .append:
                try appender?.append(footage.fragment())
                appended += 1
            case .sync:
                try appender?.sync()
                synced[footage.id.counter] = appended
            case .close:
                _ = try appender?.close(
                    trailer: footage.encoder.trailer(), duration: .seconds(1), journal: journal, now: Footage.anchor)
                synced[footage.id.counter] = appended
            }
        }
        return (synced, try directory.records().map(\.event))
    }
}
