import Foundation
import FragmentedMP4
import Recording
import SegmentStore
import Testing

/// A small disk of its own, mounted while the test runs.
final class SmallDisk {
    enum Kind: String, CaseIterable {
        case tmpfs, ext4
    }

    let directory: TemporaryDirectory
    private let image = FileManager.default.temporaryDirectory.appending(path: "cvr-disk-\(UUID().uuidString)").path

    init(_ kind: Kind) throws {
        directory = try TemporaryDirectory()
        switch kind {
        case .tmpfs: try run("mount", "-t", "tmpfs", "-o", "size=1m", "cvr-test", directory.path)
        case .ext4:
            try run("truncate", "-s", "4M", image)
            try run("mkfs.ext4", "-q", "-m", "0", image)
            try run("mount", "-o", "loop", image, directory.path)
        }
    }

    deinit {
        // Nothing to do about a mount that does not go: the next line reports the directory that stays.
        try? run("umount", "--lazy", directory.path)
        try? FileManager.default.removeItem(atPath: image)
    }

    /// Takes the last byte; `free()` gives all of it back.
    func fill() throws {
        let file = try #require(fopen(directory.path + "/filler", "a"))
        setvbuf(file, nil, _IONBF, 0)
        for size in [65_536, 4096, 1] {
            let block = [UInt8](repeating: 1, count: size)
            while fwrite(block, 1, size, file) == size {}
        }
        fclose(file)
        #expect(try directory.cache().freeSpace().available < 4096)
    }

    func free() throws { try FileManager.default.removeItem(atPath: directory.path + "/filler") }

    /// What is not synced is gone, as after a power cut: ext4 stops without writing its journal, and is mounted again.
    ///
    /// Nothing may be open on the disk.
    func cutPower() throws {
        let file = open(directory.path, O_RDONLY)
        var withoutFlush: UInt32 = 2
        // EXT4_IOC_SHUTDOWN
        try #require(ioctl(file, 0x8004_587D, &withoutFlush) == 0)
        close(file)
        try run("umount", directory.path)
        try run("mount", "-o", "loop", image, directory.path)
    }

    func makeReadOnly() throws { try run("mount", "-o", "remount,ro", directory.path) }

    private func run(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(arguments)")
    }
}

@Suite("Full and failing disks", .enabled(if: geteuid() == 0, "mounting a small disk takes root"))
struct FullDiskTests {
    let now = Footage.anchor

    @Test("a full disk can be journalled", arguments: SmallDisk.Kind.allCases)
    func journal(kind: SmallDisk.Kind) throws {
        let disk = try SmallDisk(kind)
        let journal = try disk.directory.journal()
        try journal.append(.gapClose(to: now), at: now)
        try disk.fill()
        for _ in 0..<300 {
            try journal.append(.gapOpen(from: now, reason: .diskFull, detail: "no space left"), at: now)
        }
        #expect(try disk.directory.records().count == 301)
        #expect(try disk.directory.copy().journal().state.openGap?.reason == .diskFull)
    }

    @Test("a worker that starts on a full disk gets its lock and its journal", arguments: SmallDisk.Kind.allCases)
    func start(kind: SmallDisk.Kind) throws {
        let disk = try SmallDisk(kind)
        do {
            let lock = try SlotLock(in: disk.directory.cache(), slot: .a, build: "1", protocolVersion: 1)
            try disk.directory.journal().append(.gapClose(to: now), at: now)
            withExtendedLifetime(lock) {}
        }
        try disk.fill()
        let lock = try SlotLock(in: disk.directory.cache(), slot: .a, build: "2", protocolVersion: 1)
        #expect(try SlotLock.holder(in: disk.directory.cache(), slot: .a)?.build == "2")
        #expect(lock.predecessor?.build == "1")
        try disk.directory.journal().append(.gapOpen(from: now, reason: .diskFull, detail: ""), at: now)
    }

    @Test("a fragment that does not fit leaves the file as it was, and closing waits for space")
    func append() throws {
        let disk = try SmallDisk(.tmpfs)
        let (cache, journal) = (try disk.directory.cache(), try disk.directory.journal())
        var footage = try Footage()
        let appender = try SegmentAppender(footage, in: cache, journal)
        try appender.append(footage.fragment())
        try disk.fill()
        let length = appender.length
        let error = try #require(throws: SegmentStoreError.self) {
            try appender.append([UInt8](repeating: 0, count: 100_000))
        }
        #expect(error.isNoSpace)
        #expect(error.nextStep.contains("free space"))
        #expect(appender.length == length)
        #expect(try cache.listing().first?.bytes == length)
        // What does not fit is the trailer's size here; the segment stays open.
        #expect(throws: SegmentStoreError.self) {
            try appender.close(
                trailer: [UInt8](repeating: 0, count: 100_000), duration: .zero, journal: journal, now: now)
        }
        try disk.free()
        try appender.append(footage.fragment())
        let name = try appender.close(
            trailer: footage.encoder.trailer(), duration: .seconds(2), journal: journal, now: now)
        #expect(try disk.directory.bytes(name.relativePath) == Footage.closed(fragments: 2))
    }

    @Test("what recovery cannot close on a full disk is closed once there is room", arguments: SmallDisk.Kind.allCases)
    func deferred(kind: SmallDisk.Kind) throws {
        let disk = try SmallDisk(kind)
        var footage = try Footage()
        do {
            let appender = try SegmentAppender(footage, in: disk.directory.cache(), disk.directory.journal())
            try appender.append(footage.fragment())
        }
        // To the end of a block: the trailer needs another one.
        let path = disk.directory.path + "/" + footage.name.relativePath + ".partial"
        try disk.fill()
        let report = try disk.directory.recover()
        let isRefused = !report.deferred.isEmpty
        try disk.free()
        if isRefused { #expect(FileManager.default.fileExists(atPath: path)) }
        let left = Recovery.settle(
            in: try disk.directory.cache(), journal: try disk.directory.journal(), now: Footage.anchor)
        #expect(left.isEmpty)
        #expect(try disk.directory.paths() == [footage.name.relativePath])
        #expect(try disk.directory.bytes(footage.name.relativePath) == Footage.closed(fragments: 1))
    }

    @Test("creating again and again on a full disk leaves no file and one record", arguments: SmallDisk.Kind.allCases)
    func create(kind: SmallDisk.Kind) throws {
        let disk = try SmallDisk(kind)
        let (cache, journal) = (try disk.directory.cache(), try disk.directory.journal())
        try FileManager.default.createDirectory(
            atPath: disk.directory.path + "/2026-11-23/09", withIntermediateDirectories: true)
        try disk.fill()
        let footage = try Footage()
        for attempt in Int64(0)..<50 {
            let error = try #require(throws: SegmentStoreError.self) {
                try SegmentAppender(
                    in: cache, start: footage.start + .milliseconds(attempt), id: footage.id,
                    initPart: footage.encoder.initPart, journal: journal, now: now)
            }
            #expect(error.isNoSpace)
        }
        #expect(try cache.listing().isEmpty)
        #expect(try disk.directory.records().count == 1)
        try disk.free()
        let appender = try SegmentAppender(footage, in: cache, journal)
        #expect(try cache.listing().count == 1)
        withExtendedLifetime(appender) {}
    }

    @Test("recovery without space for a trailer defers, and closes the segment once there is space")
    func recovery() throws {
        let disk = try SmallDisk(.tmpfs)
        var fragments = 0
        do {
            let (cache, journal) = (try disk.directory.cache(), try disk.directory.journal())
            var footage = try Footage()
            let appender = try SegmentAppender(footage, in: cache, journal)
            // Until the trailer would need another page.
            while fragments == 0 || 4096 - appender.length % 4096 >= footage.encoder.trailer().count {
                try appender.append(footage.fragment())
                fragments += 1
            }
        }
        try disk.fill()
        let full = try disk.directory.recover()
        #expect(full.deferred.map(\.isNoSpace) == [true])
        #expect(full.recovered.isEmpty)
        try disk.free()
        let report = try disk.directory.recover()
        let name = try #require(report.recovered.first?.name)
        #expect(try disk.directory.bytes(name.relativePath) == Footage.closed(fragments: fragments))
    }

    @Test("a read-only disk is an error with a next step everywhere", arguments: SmallDisk.Kind.allCases)
    func readOnly(kind: SmallDisk.Kind) throws {
        let disk = try SmallDisk(kind)
        let cache = try disk.directory.cache()
        try disk.directory.write([1], to: "2026-11-23/09/48-00.123Z.1.0.mp4")
        let name = try #require(try cache.listing().first?.name)
        try disk.makeReadOnly()
        let operations: [() throws -> Void] = [
            { _ = try disk.directory.journal() },
            { _ = try SlotLock(in: cache, slot: .a, build: "1", protocolVersion: 1) },
            { try Eviction.evict(name, in: cache, now: now) },
            { try EvictableWatermark.publish(name.id, in: cache) },
        ]
        for operation in operations {
            let error = try #require(throws: SegmentStoreError.self) { try operation() }
            #expect(error.errno == EROFS)
            #expect(error.nextStep.contains("mount it read-write"))
        }
        #expect(try cache.listing().count == 1)
    }
}
