import Foundation
import Messages
import TestSupport
import Testing

/// Every step that cvr-sync names is here; a structure test knows of none that is not.
@Suite("cvr-sync killed", .showsEvidence, .timeLimit(.minutes(20)))
struct SyncKillTests {
    @Test(
        "at a step of upload, verification or commit misses, repeats and loses nothing",
        arguments: [
            "upload.begin", "upload.begun", "upload.folders", "upload.chunk", "upload.copied", "upload.described",
            "upload.renamed", "upload.stored", "commit.begin", "commit.uploaded", "verify.read", "verify.equal",
            "commit.verified", "commit.verified:3", "watermark.written", "survey.read", "survey.read:3",
        ])
    func upload(step: String) async throws {
        try await withCrashed(Crashed.settings(), dyingAt: step) { box, crashed in
            try await expectAllThere(box, crashed)
        }
    }

    @Test(
        "at a step of eviction deletes nothing that is not in the store (I3)",
        arguments: ["evict.begin", "evict.unlinked", "evict.directorySynced", "evict.freed", "evict.freed:2"])
    func evict(step: String) async throws {
        var settings = Crashed.settings()
        // Less than half of what is in each cache.
        settings.cacheMiB = 1
        try await withCrashed(settings, dyingAt: step) { box, crashed in
            try await expectAllThere(box, crashed)
            let local = try await box.segments(of: "front").filter(\.local)
            #expect(local.count < crashed.closed["front"] ?? 0)
        }
    }

    @Test(
        "at a step of giving up what cannot be stored drops the oldest only, each with its row (I3)",
        arguments: ["evict.journalled", "evict.committed", "evict.committed:2"])
    func drop(step: String) async throws {
        var settings = Crashed.settings()
        settings.cacheMiB = 1
        settings.cacheFull = "dropOldest"
        // What an earlier catalog may have stored is given up for good once the store was asked.
        let isAsked = step.hasPrefix("evict.committed")
        let ask = { @Sendable (box: Box) in
            try await untilBudgetsAreKept(box)
            try await box.replugStore()
        }
        try await withCrashed(
            settings, prepare: { try $0.unplugStore() }, approach: { if isAsked { try await ask($0) } }, dyingAt: step
        ) { box, crashed in
            try await box.start()
            if !isAsked {
                try await ask(box)
                // By another cvr-sync: the former one was shut in with the folder that was there before.
                try await eventually("cvr-sync works on the store", within: .seconds(30)) {
                    try await box.run(["sync", "now"]).ending == .exited(0) ? true : nil
                }
            }
            try await untilVerified(crashed, in: box)
            for camera in Crashed.cameras { try await expectOldestDropped(camera, in: box, crashed) }
            try await expectRebuilt(box, crashed)
        }
    }

    @Test(
        "at a step of retention deletes what is too old everywhere, and nothing else",
        arguments: [
            "retain.begin", "retain.deleted", "retain.deleted:2", "retain.deleted:3", "retain.gone", "retain.settled",
        ])
    func retain(step: String) async throws {
        var settings = Crashed.settings()
        settings.cameras[0].options = ["retention: PT2S"]
        try await withCrashed(settings, dyingAt: step) { box, crashed in
            try await box.start()
            try await untilVerified(crashed, in: box)
            let old = Crashed.cameras[0]
            try await eventually("the old footage is gone", within: .seconds(30)) {
                try await box.segments(of: old).allSatisfy { $0.state == "evicted" && !$0.local } ? true : nil
            }
            let left = try FileTree("\(box.root)/store").files.keys.filter { $0.contains("/\(old)/") }
            #expect(left.isEmpty, "\(left)")
            #expect(SegmentFiles.all(in: "\(box.root)/cache/\(old)").isEmpty)
            for camera in Crashed.cameras.dropFirst() {
                try expectStored(try await box.segments(of: camera), of: camera, in: box, crashed)
            }
            try await expectRebuilt(box, crashed)
        }
    }

    /// Starts from the crashed disks and dies at a step.
    private func withCrashed(
        _ settings: BoxSettings, prepare: @Sendable (Box) throws -> Void = { _ in },
        approach: @Sendable (Box) async throws -> Void = { _ in }, dyingAt step: String,
        _ body: (Box, Crashed) async throws -> Void
    ) async throws {
        let crashed = try await Crashed.shared.value
        try await Machine.shared.place {
            try await withBox(settings) { box in
                try crashed.restore(into: box)
                try prepare(box)
                try await box.die(at: step, approach: approach)
                try await body(box, crashed)
            }
        }
    }
}
