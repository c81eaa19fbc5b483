import Footage
import Foundation
import Recording
import SegmentStore
import Sync
import Testing

/// A camera that falls silent while its connection stays leaves a hole in its segment: a gap, whoever tells of it.
@Suite("Reading footage back: silences inside of a segment", .timeLimit(.minutes(2)))
struct SilenceTests {
    private static let evening = ReadingTests.evening

    /// In seconds of the evening.
    struct Told: Hashable {
        var spans: [[Double]] = []
        var gaps: [[Double]] = []
        var recorded: [[Double]] = []
        var reasons: Set<String> = []
    }

    private func told(_ archive: Archive) async throws -> Told {
        let camera = try #require(try archive.camera(ofAsset: "archive"))
        func seconds(_ from: WallTime, _ to: WallTime?) -> [Double] {
            [from, to ?? .latest].map { ($0 - Self.evening).seconds }
        }
        let answers = try archive.answers(camera)
        var told = Told()
        told.spans = try archive.spans(camera, from: .earliest, to: .latest).map { seconds($0.start, $0.end) }
        for gap in try await answers.gaps(from: nil, to: nil) where gap.from >= Self.evening {
            told.gaps.append(seconds(gap.from, gap.to))
            told.reasons.insert(gap.reason.rawValue)
        }
        for span in try await answers.coverage(from: nil, to: nil).spans {
            guard case .recorded = span.kind else { continue }
            let next = seconds(span.from, span.to)
            // What is uploaded and what is not yet are two spans.
            if told.recorded.last?.last == next.first, let last = told.recorded.popLast() {
                told.recorded.append(last.prefix(1) + next.suffix(1))
            } else {
                told.recorded.append(next)
            }
        }
        return told
    }

    private func rig(_ place: Rig.Place) async throws -> (rig: Rig, recorder: Recorder) {
        let rig = try await Rig(at: place)
        rig.clock.step(Self.evening - rig.clock.now)
        let recorder = try rig.recorder()
        try recorder.start()
        return (rig, recorder)
    }

    @Test(
        "each is a gap before its record is read, from the catalog, from cache and journal, and from the store alone",
        arguments: [Rig.Place.file, .s3, .azblob])
    func sources(_ place: Rig.Place) async throws {
        let (rig, recorder) = try await rig(place)
        try recorder.record(seconds: 4)
        try rig.sync()
        let catalog = try rig.savedCatalog()
        try recorder.record(seconds: 4, silence: 10)
        try recorder.record(seconds: 4, silence: 3)
        let spans = [[0.0, 6], [16, 20], [23, 25]]
        let expected = Told(spans: spans, gaps: [[6, 16], [20, 23]], recorded: spans, reasons: ["networkLoss"])
        // Its journal may be read before its catalog is.
        var fresh = try await told(rig.archive())
        fresh.reasons = expected.reasons
        #expect(fresh == expected)
        for _ in 0..<2 { try rig.sync() }
        #expect(try await told(rig.archive()) == expected)
        let stored = try await told(rig.storeArchive())
        #expect((stored.spans, stored.reasons) == (spans, ["networkLoss"]))
        #expect(stored.gaps.prefix(2) == expected.gaps[...] && stored.recorded == spans)
        try rig.restoreCatalog(catalog)
        #expect(try await told(rig.archive()).spans == spans)
        try rig.loseCatalog()
        #expect(try await told(rig.archive()) == expected)
    }

    @Test("the growing segment's are told as well, and a gap that the catalog has open is over where footage goes on")
    func growing() async throws {
        let (rig, recorder) = try await rig(.file)
        try recorder.record(seconds: 4)
        try recorder.journal.append(.gapOpen(from: rig.clock.now, reason: .networkLoss, detail: ""), at: rig.clock.now)
        try rig.sync()
        rig.clock.advance(.seconds(8))
        try recorder.journal.append(.gapClose(to: rig.clock.now), at: rig.clock.now)
        try recorder.record(seconds: 4, closing: false, silence: 5)
        let spans = [[0.0, 4], [12, 14], [19, 21]]
        let told = try await told(rig.archive())
        #expect((told.spans, told.gaps) == (spans, [[4, 12], [14, 19]]) && told.recorded == spans)
    }

    @Test("a store tells of more of them in a day than one object can, and asks few objects")
    func many() async throws {
        let (rig, recorder) = try await rig(.file)
        for _ in 0..<50 { try recorder.record(seconds: 2, silence: 3) }
        try rig.sync()
        let looks = ScriptedService(root: rig.root + "/store")
        let archive = Archive(site: rig.settings.site, store: looks, now: { [clock = rig.clock] in clock.now })
        let told = try await told(archive)
        let onBox = try await self.told(rig.archive())
        #expect(told.spans.count == 51 && told.spans == onBox.spans)
        #expect(told.gaps.count(where: { $0[1] < 250 }) == 50)
        let heads = looks.requests["head", default: 0]
        #expect(heads <= 6, "\(heads)")
    }
}
