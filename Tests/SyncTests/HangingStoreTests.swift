import Foundation
import Glibc
import Messages
import TestSupport
import Testing
import Varlink

/// The real cvr-sync, shut in while the disk of its store stands still.
@Suite("Sync: a store that hangs", .timeLimit(.minutes(1)), .enabled(if: geteuid() == 0, "freezes a disk"))
struct HangingStoreTests {
    @Test("keeps nobody from the caches; when it answers, cvr-sync asks to be started anew")
    func start() async throws {
        let root = "/tmp/cvr-hang-\(UInt32.random(in: 0...UInt32.max))"
        for folder in ["run", "cache/front", "state", "disk"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        let disk = try await FreezingDisk(at: "\(root)/disk", image: "\(root)/image")
        try await disk.freeze()
        let sync = try ChildProcess(
            "\(Repository.binaries)/cvr-sync",
            [
                "--run", "\(root)/run", "--cache", "\(root)/cache", "--state", "\(root)/state",
                "--store", "file://\(root)/disk/store",
            ])
        let result: Result<Void, any Error>
        do { result = .success(try await talk(to: sync, disk, in: root)) } catch { result = .failure(error) }
        // Also when this test has run out of time: who waits for the disk could not be ended.
        await Task {
            await disk.remove()
            await sync.stop()
        }.value
        try? FileManager.default.removeItem(atPath: root)  // a leftover in /tmp harms nothing
        try result.get()
    }

    private func talk(to sync: ChildProcess, _ disk: FreezingDisk, in root: String) async throws {
        let client = try await eventually("its socket") {
            // Not there yet.
            try? await VarlinkClient.connect(path: "\(root)/run/sync.sock", timeout: .seconds(1))
        }
        let camera = SyncInterface.Camera(
            name: "front", asset: "front", configured: true, segmentLength: 2, retention: nil, cacheBudgetBytes: 0,
            dropsOldest: true)
        let configuration = SyncInterface.Configuration(
            site: "plant", cachePath: "\(root)/cache", statePath: "\(root)/state",
            storeURL: "file://\(root)/disk/store",
            heartbeatPath: "\(root)/run/heartbeat", minimumFreePercent: 0, trustsClock: true, cameras: [camera])
        _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
        let asked = Listing.Query(camera: "front")
        // An answer: nothing was recorded yet.
        await #expect(throws: VarlinkRemoteError.self) {
            try await client.call("io.cvr.Sync.Segments", asked, as: Listing.Segments.self)
        }
        #expect(try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self).lag == 0)
        try await disk.thaw()
        #expect(try await sync.end(within: .seconds(20)) == .exited(75))
        let words = try String(contentsOfFile: "\(root)/run/last-words.json", encoding: .utf8)
        #expect(words.contains("answers again"), "\(words)")
    }
}
