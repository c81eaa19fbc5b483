import Foundation
import Recording
import SegmentStore
import Testing

@Suite("CacheDirectory")
struct CacheDirectoryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("an absent directory is an error with a next step, and is not created")
    func absent() throws {
        let path = directory.path + "/unmounted"
        let error = try #require(throws: SegmentStoreError.self) {
            try CacheDirectory(path: path, camera: #require(Footage.camera))
        }
        #expect(error.description.contains("mount the cache disk"))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("lists segments by session and counter and ignores everything else")
    func listing() throws {
        try directory.write([1, 2, 3], to: "2026-11-23/09/48-00.123Z.2.0.mp4")
        try directory.write([1], to: "2026-11-24/00/00-00.000Z.1.10.mp4")
        try directory.write([1, 2], to: "2026-11-24/00/00-30.000Z.1.9.mp4.partial")
        try directory.write([], to: "1970-01-01/00/00-00.000Z.3.0.mp4.suspect")
        for other in ["journal", "2026-11-23/09/notes.txt", "2026-11-23/x.mp4", "lost+found/a/b", "2026-11-99/09/x"] {
            try directory.write([9], to: other)
        }
        let listing = try directory.cache().listing()
        #expect(listing.map(\.name.id.session) == [1, 1, 2, 3])
        #expect(listing.map(\.name.id.counter) == [9, 10, 0, 0])
        #expect(listing.map(\.bytes) == [2, 1, 3, 0])
        #expect(try directory.cache().totals() == (4, 6))
        #expect(try directory.cache().newestSegment(ofSession: 1)?.id.counter == 10)
        #expect(try directory.cache().newestSegment(ofSession: 9) == nil)
    }

    @Test("never follows a symbolic link out of the cache")
    func links() throws {
        let elsewhere = try TemporaryDirectory()
        try elsewhere.write([7], to: "09/48-00.123Z.7.12.mp4")
        let name = try #require(SegmentFileName(relativePath: "2026-11-23/09/48-00.123Z.7.12.mp4"))
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/2026-11-23", withDestinationPath: elsewhere.path)
        let cache = try directory.cache()
        #expect(try cache.listing().isEmpty)
        #expect(throws: SegmentStoreError.self) { try cache.open(name) }
        try Eviction.evict(name, in: cache, now: .latest)
        #expect(try elsewhere.bytes("09/48-00.123Z.7.12.mp4") == [7])
    }

    @Test("a reader of a partial finds it under its final name")
    func openFollowsClose() throws {
        try directory.write([1, 2, 3, 4], to: "2026-11-23/09/48-00.123Z.7.12.mp4")
        let partial = try #require(SegmentFileName(relativePath: "2026-11-23/09/48-00.123Z.7.12.mp4.partial"))
        let file = try directory.cache().open(partial)
        #expect(try file.length() == 4)
        #expect(try file.read(at: 1, count: 2) == [2, 3])
        #expect(try file.read(at: 3, count: 100) == [4])
        #expect(try file.read(at: 100, count: 100) == [])
        #expect(throws: SegmentStoreError.self) { try file.read(at: -1, count: 1) }
    }

    @Test("measures the disk")
    func freeSpace() throws {
        let free = try directory.cache().freeSpace()
        #expect(free.available > 0)
        #expect(free.total >= free.available)
        #expect(try directory.cache().disk() == directory.cache().disk())
        let system = try CacheDirectory(path: "/proc", camera: #require(Footage.camera))
        #expect(try system.disk() != directory.cache().disk())
    }

    @Test("tells flash from rotational by the device below, and syncs accordingly")
    func diskKind() throws {
        let listing = try FileManager.default.contentsOfDirectory(atPath: "/sys/block")
        let kinds = listing.compactMap {
            try? String(contentsOfFile: "/sys/block/\($0)/queue/rotational", encoding: .utf8)
        }
        let kind = DiskKind(below: try directory.cache())
        if Set(kinds).count == 1, kinds.first == "1\n" { #expect(kind == .rotational) }
        if Set(kinds).count == 1, kinds.first == "0\n" { #expect(kind == .flash) }
    }

    @Test("on rotational disks each camera has its own turn every 4 s; on flash it is always its turn")
    func schedule() throws {
        let times = (0..<400).map { MonotonicTime(microseconds: 1_000_000 + Int64($0) * 100_000) }
        func turns(_ disk: DiskKind, _ camera: String) throws -> [MonotonicTime] {
            let schedule = SyncSchedule(disk: disk, camera: try #require(CameraName(camera)))
            return zip(times, times.dropFirst()).filter { schedule.isDue(at: $1, last: $0) }.map(\.1)
        }
        let front = try turns(.rotational, "front")
        #expect((9...10).contains(front.count))
        #expect(zip(front, front.dropFirst()).allSatisfy { $1 - $0 == .seconds(4) })
        #expect(try turns(.rotational, "yard") != front)
        #expect(try turns(.flash, "front").count == 399)
    }
}
