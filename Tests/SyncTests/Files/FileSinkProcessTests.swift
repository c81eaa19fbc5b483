import Catalog
import Foundation
import Messages
import Recording
import Sync
import TestSupport
import Testing
import Varlink

/// The real cvr-sync, shut in with the folders of files that it was started with.
@Suite("File sink: cvr-sync itself", .timeLimit(.minutes(1)))
struct FileSinkProcessTests {
    private func start(_ rig: Rig) throws -> ChildProcess {
        let run = rig.root + "/run"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        let files = rig.settings.filePaths.flatMap { ["--files", $0] }
        return try ChildProcess(
            Repository.binaries + "/cvr-sync",
            [
                "--run", run, "--cache", rig.settings.cachePath, "--state", rig.settings.statePath, "--store",
                "file://\(rig.root)/store",
            ] + files, log: rig.root + "/log")
    }

    private func configure(_ rig: Rig) async throws -> VarlinkClient {
        let camera = try #require(rig.settings.cameras[rig.front])
        let client = try await eventually("its socket") {
            // Not there yet.
            try? await VarlinkClient.connect(path: "\(rig.root)/run/sync.sock", timeout: .seconds(1))
        }
        let configuration = SyncInterface.Configuration(
            site: "plant", cachePath: rig.settings.cachePath, statePath: rig.settings.statePath,
            storeURL: "file://\(rig.root)/store", heartbeatPath: rig.root + "/run/heartbeat", minimumFreePercent: 0,
            trustsClock: true,
            cameras: [
                SyncInterface.Camera(
                    name: "front", asset: camera.asset, configured: true, segmentLength: 30, retention: nil,
                    cacheBudgetBytes: 0, dropsOldest: false,
                    files: camera.files.map { SyncInterface.Files(directory: $0.directory) }, uploads: camera.uploads)
            ], filePaths: rig.settings.filePaths)
        _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
        return client
    }

    private func untilFiled(_ session: Int64, _ client: VarlinkClient) async throws {
        try await eventually("session \(session) is filed", within: .seconds(20)) {
            let status = try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
            return status.caches.first?.filedThrough == session ? true : nil
        }
    }

    @Test("writes them there seconds after the session's end, and nowhere else; other folders take another process")
    func files() async throws {
        let rig = try FileSinkTests.rig()
        let recorder = try rig.recorder()
        try FileSinkTests.record(recorder, file: "clip")
        let sync = try start(rig)
        do {
            let client = try await configure(rig)
            try await untilFiled(1, client)
            #expect(try FileSinkTests.files(rig) == ["clip.mp4"])
            let started = ContinuousClock.now
            try FileSinkTests.record(recorder, file: "next")
            try await untilFiled(2, client)
            #expect(.now - started < .seconds(10))
            #expect(!FileManager.default.fileExists(atPath: rig.root + "/store/plant/archive"))
            // Beyond what it was shut in with.
            let other = rig.root + "/other"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            rig.settings.filePaths = [other]
            rig.settings.cameras[rig.front]?.files?.directory = other
            // It ends with the answer on its way.
            _ = try? await configure(rig)
            #expect(try await sync.end(within: .seconds(20)) == .exited(75))
        } catch {
            await sync.stop()
            throw error
        }
        let second = try start(rig)
        do {
            let client = try await configure(rig)
            try FileSinkTests.record(recorder, file: "third")
            try await untilFiled(3, client)
            #expect(FileManager.default.fileExists(atPath: rig.root + "/other/third.mp4"))
            await client.close()
        } catch {
            await second.stop()
            throw error
        }
        await second.stop()
    }
}
