import Footage
import Foundation
import Messages
import ObjectStore
import Recording
import Sync
import Testing

/// What was given up is told as a loss with its reason, whoever tells it.
@Suite("Footage that was given up", .timeLimit(.minutes(2)))
struct DroppedFootageTests {
    @Test("what cvr-sync dropped is a gap without a catalog too, until the ledger tells of more")
    func dropped() async throws {
        let rig = try await Rig(SyncSettings.Camera(asset: "archive"), at: .file)
        let recorder = try rig.recorder()
        try rig.sync()
        let start = rig.clock.now
        try recorder.start()
        for _ in 0..<4 { try recorder.record() }
        rig.settings.cameras[rig.front] = SyncSettings.Camera(asset: "archive", cacheBudget: 1, dropsOldest: true)
        let work = try rig.workspace()
        for _ in 0..<3 { try rig.survey(rig.front, work) }
        rig.settings.cameras[rig.front] = SyncSettings.Camera(asset: "archive")
        try recorder.record()
        try rig.survey(rig.front, try rig.workspace())
        let told = try await rig.archive().gapsTold()
        let lost = try #require(told.first)
        #expect(lost.reason == "evicted")
        #expect(lost.detail == "budget")
        #expect(lost.from == start.rfc3339)
        try rig.loseCatalog()
        let archive = rig.archive()
        #expect(try await archive.gapsTold() == told)
        #expect(try await archive.gapsTold() == told, "nothing is counted twice")
    }

    @Test("a site that has a mark and no footage has no cameras; one without a mark is no site, and the error says so")
    func emptyStore() async throws {
        let rig = try await Rig(at: .file)
        #expect {
            try rig.storeArchive().cameras()
        } throws: { error in
            (error as? ArchiveError)?.code == .unavailable && "\(error)".contains("bring its first segment")
        }
        let other = "\(rig.settings.store.folder ?? "")/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        #expect { try rig.storeArchive().cameras() } throws: { "\($0)".contains("no site plant, but 1 others") }
        // Somebody made a place for it.
        try FileManager.default.createDirectory(
            atPath: other.replacing("other", with: "plant"), withIntermediateDirectories: false)
        #expect(try rig.storeArchive().cameras() == [])
        try rig.sync()
        #expect(try rig.storeArchive().cameras() == [])
    }

    @Test(
        "a service that holds nothing has no cameras yet; one with another site is another store",
        arguments: [.s3, .azblob] as [Rig.Place])
    func emptyService(_ place: Rig.Place) async throws {
        let rig = try await Rig(at: place)
        #expect(try rig.storeArchive().cameras() == [])
        let stranger = try rig.successor()
        stranger.settings.site = try #require(SiteName("elsewhere"))
        let recorder = try stranger.recorder()
        try recorder.start()
        try recorder.record()
        try stranger.sync()
        #expect { try rig.storeArchive().cameras() } throws: { "\($0)".contains("no site plant, but 1 others") }
        // What is there is served, whether its site has a mark or not.
        let mark = try #require(DocumentKey(.mark, of: stranger.settings.site))
        try stranger.there.deleteDocument(mark)
        #expect(try stranger.storeArchive().cameras().map(\.asset) == ["archive"])
    }
}
