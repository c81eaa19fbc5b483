import Foundation
import Messages
import TestSupport
import Testing

extension SyncKillTests {
    /// Every segment of the crashed box is listed once, verified, and in the store byte for byte; a catalog that is
    /// made anew says the same.
    func expectAllThere(_ box: Box, _ crashed: Crashed) async throws {
        try await box.start()
        try await untilVerified(crashed, in: box)
        try await untilBudgetsAreKept(box)
        for camera in Crashed.cameras {
            let segments = try await box.segments(of: camera)
            #expect(segments.allSatisfy { $0.state == "verified" }, "\(segments)")
            try expectStored(segments, of: camera, in: box, crashed)
        }
        try await expectRebuilt(box, crashed)
    }

    /// Waits until nothing waits for the store any more; what was given up is settled too.
    func untilVerified(_ crashed: Crashed, in box: Box) async throws {
        for camera in Crashed.cameras {
            let count = crashed.total(camera)
            try await eventually("\(count) settled segments of \(camera)", within: .seconds(60)) {
                // Nothing is known of a camera while the catalog is rebuilt.
                let segments = (try? await box.segments(of: camera)) ?? []
                let settled = segments.filter { $0.state == "verified" || $0.state == "evicted" }
                return settled.count >= count ? true : nil
            }
        }
    }

    func untilBudgetsAreKept(_ box: Box) async throws {
        try await eventually("the budgets are kept") {
            let cameras = try await box.status().cameras
            return cameras.allSatisfy { $0.cacheBytes > 0 && $0.cacheBytes <= $0.cacheBudgetBytes } ? true : nil
        }
    }

    /// The objects of a camera are its segments, byte for byte, and nothing is beside them.
    func expectStored(
        _ segments: [Listing.Segment], of camera: String, in box: Box, _ crashed: Crashed
    ) throws {
        #expect(Set(segments.map(\.key)).count == segments.count)
        let counters = segments.map(\.counter).sorted()
        #expect(counters == Array(0..<Int64(crashed.total(camera))), "\(counters)")
        let store = try FileTree("\(box.root)/store")
        let objects = store.ending(".mp4")
        let stored = segments.filter { $0.state == "verified" }
        for segment in stored {
            let object = try #require(objects[segment.key], "\(segment) is not in the store")
            if let original = crashed.original(of: segment, of: camera) {
                #expect(object == original, "\(segment.key) differs")
            }
        }
        let stray = store.files.keys.filter {
            !$0.hasSuffix(".mp4") && !$0.hasSuffix(".mp4.meta") && !$0.hasSuffix("/.identity")
        }
        #expect(stray.isEmpty, "left in the store: \(stray)")
        for suffix in [".mp4", ".mp4.meta"] {
            let own = store.files.keys.filter { $0.contains("/\(camera)/") && $0.hasSuffix(suffix) }
            #expect(own.count == stored.count, "objects that nobody lists: \(own)")
        }
    }

    /// What went is older than all that stayed, has its row, and is local nowhere; what stayed is in the store.
    func expectOldestDropped(_ camera: String, in box: Box, _ crashed: Crashed) async throws {
        let segments = TestBox.closed(try await box.segments(of: camera))
        let dropped = segments.filter { $0.state == "evicted" }
        #expect(!dropped.isEmpty && dropped.count < segments.count, "\(segments)")
        #expect(Array(segments.prefix(dropped.count)) == dropped, "a newer one went before an older one: \(segments)")
        #expect(dropped.allSatisfy { !$0.local }, "\(dropped)")
        let files = SegmentFiles.all(in: "\(box.root)/cache/\(camera)").count
        #expect(files == segments.filter(\.local).count, "\(files) files, \(segments)")
        let ledger = try String(contentsOfFile: "\(box.root)/cache/\(camera)/ledger", encoding: .utf8)
        let rows = ledger.split(separator: "\n").filter { $0.contains("\"budget\"") }
        #expect(rows.count >= dropped.count, "\(ledger)")
        try expectStored(segments, of: camera, in: box, crashed)
    }

    /// A catalog that is made anew answers as the old one did (I6).
    func expectRebuilt(_ box: Box, _ crashed: Crashed) async throws {
        let before = try await box.catalog(Crashed.cameras, until: nil)
        try await box.rebuildCatalog()
        try await untilVerified(crashed, in: box)
        let after = try await box.catalog(Crashed.cameras, until: before)
        for camera in Crashed.cameras { #expect(after[camera] == before[camera]) }
    }
}

extension Crashed {
    /// Segments of a camera once its growing one is recovered.
    func total(_ camera: String) -> Int { (closed[camera] ?? 0) + 1 }

    /// The bytes of a segment that was closed before the crash.
    func original(of segment: Listing.Segment, of camera: String) -> Data? {
        let name = "\(camera)/" + segment.key.split(separator: "/").suffix(3).joined(separator: "/")
        // A key has no session in it; a cache's name has.
        let parts = name.split(separator: ".")
        return cache.files["\(parts[0]).\(parts[1]).\(segment.session).\(parts[2]).mp4"]
    }
}

extension Box {
    /// A store that nothing can be written to: a file is where it should be.
    nonisolated func unplugStore() throws {
        try FileManager.default.removeItem(atPath: "\(root)/store")
        try Data().write(to: URL(filePath: "\(root)/store"))
    }

    nonisolated func replugStore() async throws {
        try FileManager.default.removeItem(atPath: "\(root)/store")
        try FileManager.default.createDirectory(atPath: "\(root)/store", withIntermediateDirectories: true)
        _ = try await run(["sync", "now"])
    }
}
