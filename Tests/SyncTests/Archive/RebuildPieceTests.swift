import Catalog
import Foundation
import Messages
import ObjectStore
import Recording
import Sync
import TestSupport
import Testing

/// What a rebuild asks of a store that bills its requests, and that it gets further however soon it is cut short.
@Suite("Rebuild, piece by piece")
struct RebuildPieceTests {
    /// Days with as many segments each, all in the store alone; of all but the last the store has a summary.
    ///
    /// Of the first nothing is left but that.
    private func archive(_ rig: Rig, days: Int, segments: Int) async throws {
        rig.settings.cameras[rig.front]?.cacheBudget = 1
        rig.clock.step(SummaryTests.evening - rig.clock.now)
        let recorder = try rig.recorder()
        for _ in 0..<days {
            let start = rig.clock.now
            try recorder.start()
            for _ in 0..<segments { try recorder.record(seconds: 1, fragmentBytes: 100) }
            try recorder.stop(.networkLoss)
            try rig.sync()
            rig.clock.advance(start + .seconds(86_400) - rig.clock.now)
        }
        try rig.sync()
        for object in try rig.objects().prefix(segments) { try rig.removeObject(object) }
        _ = try await AuditTests().verify(rig)
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        try rig.loseCache()
    }

    @Test("a pass that is told to end at once still enters an object; what each asks for does not grow")
    func advances() async throws {
        let (days, segments) = (20, 4)
        let rig = try Rig()
        try await archive(rig, days: days, segments: segments)
        let (before, rows, told) = (try await rig.listing(), try rig.rows(), try rig.summaries().count)
        try rig.loseCatalog()
        let store = ScriptedService(root: rig.root + "/store")
        let work = try rig.workspace(store: store)
        var pieces = 0
        while try work.catalog.note("storeListed") == nil {
            pieces += 1
            try #require(pieces <= (days - 1) * segments + told + 2, "it does not end")
            try rig.sync(work, isStopping: { true })
        }
        #expect(pieces > (days - 1) * segments)
        let requests = store.requests
        // Each piece lists the site and its asset, and a day that it goes on with; each day is begun once.
        #expect(requests["folders"] == 2 * pieces)
        #expect(try #require(requests["list"]) <= pieces + days + told)
        #expect(try #require(requests["document"]) <= pieces + days + told + 1)
        #expect(requests["documents"] == 1)
        try rig.sync()
        #expect(try await rig.listing() == before)
        #expect(try rig.rows() == rows)
    }

    @Test(
        "a rebuild costs one read and its pages a day, and a page for the holds, as the server counts them",
        arguments: StoreServer.Kind.allCases)
    func counted(kind: StoreServer.Kind) async throws {
        let (days, segments) = (6, 3)
        let server = try await StoreServer(kind, page: 4)
        let rig = try Rig()
        try rig.use(server)
        try await archive(rig, days: days, segments: segments)
        let (before, summaries) = (try await rig.listing(), try rig.summaries().count)
        try rig.loseCatalog()
        let start = try await server.requests()
        let work = try rig.workspace()
        try rig.sync(work, isStopping: { false })
        let spent = try await server.requests().merging(start) { $0 - $1 }
        await server.stop()
        #expect(try work.catalog.note("storeListed") != nil)
        #expect(try await rig.listing() == before)
        // The mark, the probe and what the store is asked when it is looked at first are the same for every archive.
        let (lists, reads) = kind == .s3 ? ("LIST", "GET") : ("list", "read")
        let pages = kind == .s3 ? summaries : 2 * summaries
        #expect(try #require(spent[lists]) <= pages + 4, "\(spent)")
        #expect(try #require(spent[reads]) <= summaries + 5, "\(spent)")
    }
}
