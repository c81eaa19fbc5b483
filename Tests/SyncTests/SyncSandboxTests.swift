import Foundation
import Glibc
import Recording
import Sync
import Testing

/// What cvr-sync does before it shuts itself in, and what tells it that it has to start anew.
@Suite("Sync sandbox")
struct SyncSandboxTests {
    @Test("its command line names all places or none")
    func arguments() {
        let whole = ["--run", "/run/cvr/sync", "--cache", "/c", "--state", "/s", "--store", "file:///st"]
        #expect(SyncArguments(whole)?.places == SyncPlaces(cache: "/c", state: "/s", store: .file(path: "/st")))
        let before = SyncArguments(["--run", "/run/cvr/sync"])
        #expect(before?.run == "/run/cvr/sync" && before?.places == nil, "an older cvrd's")
        for wrong in [
            [], ["--run"], ["--run", "run"], Array(whole.dropLast(2)), whole + ["--store", "file:///x"],
            whole.dropLast() + ["ftp://b"], whole.dropLast(5) + ["c"] + whole.suffix(4),
        ] { #expect(SyncArguments(wrong) == nil, "\(wrong)") }
    }

    @Test("what a build before kept in <state> is moved, also when that was cut short, and not while it runs")
    func move() throws {
        let rig = try Rig()
        let state = rig.root + "/state"
        let names = ["catalog.sqlite", "catalog.sqlite-wal", "stores", "clock"]
        for name in names + ["sync.lock"] { try Data(name.utf8).write(to: URL(filePath: "\(state)/\(name)")) }
        let lock = open("\(state)/sync.lock", O_RDWR | O_CLOEXEC)
        try #require(flock(lock, LOCK_EX) == 0)
        let folder = SyncFolder(state: state)
        #expect { try folder.prepare() } throws: { ($0 as? SyncError)?.code == .locked }
        #expect(FileManager.default.fileExists(atPath: "\(state)/catalog.sqlite"))
        // Closing would leave it to a copy in a child that another test starts meanwhile.
        _ = flock(lock, LOCK_UN)
        close(lock)
        try FileManager.default.moveItem(
            atPath: "\(state)/catalog.sqlite-wal", toPath: folder.path + "/catalog.sqlite-wal")
        try folder.prepare()
        for name in names {
            #expect(try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8) == name)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: state) == ["sync"])
        try folder.prepare()
    }

    @Test("a new box gets every place that the sandbox names; a disk that is not mounted gets nothing in its place")
    func places() throws {
        let rig = try Rig()
        let root = rig.root + "/box"
        try FileManager.default.createDirectory(atPath: root + "/state", withIntermediateDirectories: true)
        let places = SyncPlaces(cache: root + "/cache", state: root + "/state", store: .file(path: root + "/store"))
        #expect(try SyncSandbox.prepare(places).store)
        for path in [places.cache, root + "/store", places.state + "/identities"] {
            #expect(FileManager.default.fileExists(atPath: path), "\(path)")
        }
        try FileManager.default.removeItem(atPath: places.cache)
        #expect(try SyncSandbox.prepare(places).store)
        #expect(!FileManager.default.fileExists(atPath: places.cache))
        withExtendedLifetime(rig) {}
    }
}
