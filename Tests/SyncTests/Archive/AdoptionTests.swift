import Catalog
import Footage
import Foundation
import Messages
import Recording
import Sync
import Testing

@Suite("Adoption")
struct AdoptionTests {
    func fails(_ rig: Rig) throws -> Bool {
        do { try rig.sync() } catch {
            return "\(error)".contains("belongs to another box")
        }
        return false
    }

    @Test(
        "a box that is lost is replaced: one timeline, nothing collides, and the old one uploads nothing any more",
        arguments: Rig.Place.allCases)
    func replaced(place: Rig.Place) async throws {
        let lost = try await Rig(at: place)
        let old = try lost.recorder()
        try old.start()
        for _ in 0..<3 { try old.record() }
        try lost.sync()
        let (before, end) = (try lost.rows(), lost.clock.now)

        let box = try lost.successor()
        box.clock.advance(.seconds(600))
        let recorder = try box.recorder()
        let start = box.clock.now
        try recorder.start()
        // Before anybody asked for an adoption: numbered as the other box's were.
        for _ in 0..<2 { try recorder.record() }
        #expect(try fails(box))
        #expect(try lost.objects().count == 3)

        try await HoldKeeper().adopt(box.workspace())
        try box.sync()
        let adopted = try await HoldKeeper().finishAdoption(box.workspace())
        #expect(adopted == [Listing.AdoptedCamera(name: "front", session: 1)])
        try recorder.record()
        try box.sync()
        let rows = try box.rows()
        #expect(rows.map(\.state) == Array(repeating: .verified, count: 6))
        #expect(rows.prefix(3).map(\.key) == before.map(\.key) && rows.prefix(3).map(\.media) == before.map(\.media))
        #expect(rows.map(\.id.ownSession) == Array(repeating: 1, count: 6))
        #expect(try lost.objects().count == 6)
        let answers = try await CacheKeeper(work: box.workspace(), progress: Sync.Progress()).answers(box.front)
        let gaps = try await answers.gaps(from: nil, to: box.clock.now)
        #expect(gaps == [Gap(from: end, to: start, reason: .boxReplaced, detail: gaps.first?.detail ?? "")])
        let listed = try await box.listing()
        try box.loseCatalog()
        try box.sync()
        let again = try await box.listing()
        #expect(again == listed, "\(again) in place of \(listed)")
        try expectRefused(lost, old)
    }

    /// The old box comes back, with footage of its own.
    func expectRefused(_ lost: Rig, _ old: Recorder) throws {
        let objects = try lost.objects()
        for _ in 0..<2 { try old.record() }
        #expect(try fails(lost))
        #expect(try lost.objects() == objects)
        #expect(try lost.rows().suffix(2).map(\.state) == [.closed, .closed])
    }

    @Test(
        "a day in which both boxes recorded a session of one number is told whole by its summary",
        arguments: Rig.Place.allCases)
    func oneNumberTwice(place: Rig.Place) async throws {
        let lost = try await Rig(at: place)
        lost.clock.step(SummaryTests.evening - lost.clock.now)
        let old = try lost.recorder()
        try old.start()
        for _ in 0..<2 { try old.record() }
        try lost.sync()
        let box = try lost.successor()
        box.clock.advance(.seconds(600))
        let recorder = try box.recorder()
        try recorder.start()
        for _ in 0..<3 { try recorder.record() }
        try await HoldKeeper().adopt(box.workspace())
        try box.sync()
        _ = try await HoldKeeper().finishAdoption(box.workspace())
        try recorder.stop(.networkLoss)
        box.clock.advance(.seconds(2 * 86_400))
        try box.sync()
        let lines = try box.summary("2026-11-23")
        let numbers = lines.filter { $0["kind"] as? String == "segment" }.map { [$0["session"], $0["counter"]] }
        #expect(numbers.map { $0.map { $0 as? Int } } == [[1, 0], [1, 1], [1, 0], [1, 1], [1, 2]])
        #expect(lines.compactMap { $0["key"] as? String } == (try box.rows().map(\.key)))
        let (listed, rows, summaries) = (try await box.listing(), try box.rows(), try box.summaries())
        let read = try box.archive().rowsTold()
        #expect(try box.storeArchive().rowsTold() == read && read == rows.map(\.key))
        try box.loseCache()
        try box.loseCatalog()
        try box.sync()
        let again = try await box.listing()
        #expect(again == listed.replacing("\"local\" : true", with: "\"local\" : false"), "\(listed)")
        #expect(try box.rows().map(\.media) == rows.map(\.media) && box.rows().map(\.id) == rows.map(\.id))
        #expect(try box.summaries() == summaries, "there is nothing to write again")
    }

    @Test("a mark of an older build, which names no box, is claimed")
    func legacy() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        let path = rig.root + "/store/plant/.identity"
        let mark = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as? [String: String])
        #expect(Set(mark.keys) == ["store", "box"])
        try Data("\(mark["store"] ?? "")\n".utf8).write(to: URL(filePath: path))
        try recorder.record()
        #expect(try rig.sync().uploaded == 1)
        let again = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as? [String: String]
        #expect(again == mark)
    }

    @Test("there is nothing to adopt in a store that holds nothing of the site")
    func nothing() async throws {
        let rig = try Rig()
        await #expect(throws: SyncError.self) { try await HoldKeeper().adopt(rig.workspace()) }
    }
}

extension Archive {
    /// Keys of all that there is of the camera.
    fileprivate func rowsTold() throws -> [String] {
        let camera = try #require(try camera(ofAsset: "archive"))
        return try rows(camera, from: .earliest, to: .latest).map(\.key)
    }
}
