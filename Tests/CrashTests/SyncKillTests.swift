import Foundation
import Messages
import TestSupport
import Testing

@Suite("cvr-sync killed", .showsEvidence, .timeLimit(.minutes(20)))
struct SyncKillTests {
    @Test(
        "at a step of upload, verification or commit misses, repeats and loses nothing",
        arguments: [
            "upload.begin", "upload.begun", "commit.begin", "commit.uploaded", "verify.read", "verify.equal",
            "commit.verified", "commit.verified:3", "watermark.written",
        ])
    func upload(step: String) async throws {
        let crashed = try await Crashed.shared.value
        try await Machine.shared.place {
            try await withBox(Crashed.settings()) { box in
                try crashed.restore(into: box)
                try await box.die(at: step)
                try await expectAllThere(box, crashed)
            }
        }
    }

    @Test(
        "at a step of eviction deletes nothing that is not in the store",
        arguments: ["evict.begin", "evict.unlinked", "evict.directorySynced", "evict.freed", "evict.freed:2"])
    func evict(step: String) async throws {
        let crashed = try await Crashed.shared.value
        var settings = Crashed.settings()
        // Less than half of what is in each cache.
        settings.cacheMiB = 1
        try await Machine.shared.place { [settings] in
            try await withBox(settings) { box in
                try crashed.restore(into: box)
                try await box.die(at: step)
                try await expectAllThere(box, crashed)
                let local = try await box.segments(of: "front").filter(\.local)
                #expect(local.count < crashed.closed["front"] ?? 0)
            }
        }
    }

    /// Every segment of the crashed box is listed once, verified, and in the store byte for byte; a catalog that is
    /// made anew says the same.
    private func expectAllThere(_ box: Box, _ crashed: Crashed) async throws {
        try await box.start()
        let counts = crashed.closed.mapValues { $0 + 1 }  // the growing one is recovered
        try await box.untilSettled(Crashed.cameras, counts)
        try await eventually("the budgets are kept") {
            try await box.status().cameras.allSatisfy { $0.cacheBytes <= $0.cacheBudgetBytes } ? true : nil
        }
        for camera in Crashed.cameras {
            let segments = try await box.segments(of: camera)
            #expect(Set(segments.map(\.key)).count == segments.count)
            #expect(segments.allSatisfy { $0.state == "verified" }, "\(segments)")
            let counters = segments.map(\.counter).sorted()
            #expect(counters == Array(0..<Int64(segments.count)), "\(counters)")
            try expectStored(segments, of: camera, in: box, crashed)
        }
        let before = try await box.catalog(Crashed.cameras)
        try await box.rebuildCatalog()
        try await box.untilSettled(Crashed.cameras, counts)
        let after = try await box.catalog(Crashed.cameras)
        for camera in Crashed.cameras {
            #expect(after[camera]?.segments == before[camera]?.segments)
            // The restart in between left a gap row of its own.
            let lost = (before[camera]?.gaps ?? []).filter { after[camera]?.gaps.contains($0) != true }
            #expect(lost.isEmpty, "\(lost)")
        }
    }

    private func expectStored(
        _ segments: [Listing.Segment], of camera: String, in box: Box, _ crashed: Crashed
    ) throws {
        let store = try FileTree("\(box.root)/store")
        let objects = store.ending(".mp4")
        for segment in segments {
            let object = try #require(objects[segment.key], "\(segment) is not in the store")
            let name = "\(camera)/" + segment.key.split(separator: "/").suffix(3).joined(separator: "/")
            // A key has no session in it; a cache's name has.
            let parts = name.split(separator: ".")
            let cached = "\(parts[0]).\(parts[1]).\(segment.session).\(parts[2]).mp4"
            if let original = crashed.cache.files[cached] { #expect(object == original, "\(segment.key) differs") }
        }
        let stray = store.files.keys.filter {
            !$0.hasSuffix(".mp4") && !$0.hasSuffix(".mp4.meta") && !$0.hasSuffix("/.identity")
        }
        #expect(stray.isEmpty, "left in the store: \(stray)")
        let own = objects.keys.filter { $0.contains("/\(camera)/") }
        #expect(own.count == segments.count, "objects that nobody lists: \(own)")
    }
}
