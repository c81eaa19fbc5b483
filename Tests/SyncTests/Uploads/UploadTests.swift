import Catalog
import Foundation
import Messages
import ObjectStore
import Recording
import SegmentStore
import Sync
import Synchronization
import Testing

@Suite("Upload")
struct UploadTests {
    @Test("what closed is stored byte for byte, verified, and free to go; the growing segment is not")
    func happy() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        let names = [try recorder.record(), try recorder.record()]
        try recorder.record(closing: false)
        let report = try rig.sync()
        #expect(report.uploaded == 2 && report.failed == 0)
        #expect(try rig.objects() == rig.rows().map(\.key))
        for (name, key) in zip(names, try rig.objects()) {
            let local = try Data(contentsOf: URL(filePath: recorder.cache.path + "/" + name.relativePath))
            let stored = try Data(contentsOf: URL(filePath: rig.root + "/store/" + key))
            #expect(local == stored)
        }
        #expect(try EvictableWatermark.read(in: recorder.cache) == SegmentID(session: 1, counter: 1))
        let row = try #require(try rig.rows().last)
        #expect(row.duration == .seconds(2) && row.media.frames == 2 && row.media.fragments.count == 2)
        #expect(row.media.tracks == [.init(codec: "alaw", timescale: 8000, baseDecodeTime: 16_000)])
        #expect(try rig.sync().uploaded == 0)
    }

    @Test("an object that is there already is verified when equal and quarantined with an alarm when not")
    func uncertain() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try recorder.record()
        try rig.sync()
        try rig.loseCatalog()
        let victim = rig.root + "/store/" + (try #require(try rig.objects().last))
        let handle = try #require(FileHandle(forUpdatingAtPath: victim))
        try handle.seek(toOffset: 5000)
        try handle.write(contentsOf: Data([1, 2, 3]))
        try handle.close()
        let report = try rig.sync()
        #expect(report.uploaded == 1 && report.failed == 1)
        #expect(try rig.rows().map(\.state) == [.verified, .quarantined])
        #expect(rig.events.recent.map(\.type).contains("segmentQuarantined"))
        #expect(try EvictableWatermark.read(in: recorder.cache) == SegmentID(session: 1, counter: 0))
    }

    @Test("bytes that rotted in the cache are not stored as if they were footage")
    func rot() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        let name = try recorder.record()
        try recorder.record()
        try rig.survey(rig.front, rig.workspace())
        let handle = try #require(FileHandle(forUpdatingAtPath: recorder.cache.path + "/" + name.relativePath))
        try handle.seek(toOffset: 12_000)
        try handle.write(contentsOf: Data([0xFF, 0x00, 0xFF]))
        try handle.close()
        let report = try rig.sync()
        #expect(report.uploaded == 1 && report.failed == 1)
        #expect(try rig.rows().map(\.state) == [.quarantined, .verified])
        #expect(try rig.objects().count == 1)
        #expect(rig.events.recent.map(\.type) == ["segmentQuarantined"])
    }

    @Test("a closed file that is no segment is quarantined by name; the others go on")
    func notASegment() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        let name = try recorder.record()
        try recorder.record()
        try Data(repeating: 7, count: 500).write(to: URL(filePath: recorder.cache.path + "/" + name.relativePath))
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.quarantined, .verified])
    }

    @Test("a store that is away costs time and nothing else")
    func storeAway() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        rig.settings.store = .file(path: rig.root + "/not/mounted")
        #expect(throws: ObjectStoreError.self) { try rig.sync() }
        #expect(try rig.rows().map(\.state) == [.closed])
        #expect(try EvictableWatermark.read(in: recorder.cache) == nil)
        try FileManager.default.createDirectory(atPath: rig.root + "/not", withIntermediateDirectories: true)
        #expect(try rig.sync().uploaded == 1)
    }

    @Test("a removed camera's cache is uploaded all the same")
    func unconfigured() throws {
        let rig = try Rig()
        let yard = try #require(CameraName("yard"))
        let recorder = try rig.recorder(yard)
        try recorder.start()
        try recorder.record()
        #expect(try rig.sync().uploaded == 1)
        #expect(try rig.objects().allSatisfy { $0.hasPrefix("plant/yard/") })
    }

    /// Every kill point, one after the other, then at random: the same end as without any (I2, I3, I8).
    @Test("killed at each step and started again: nothing missing, nothing twice, nothing freed early")
    func everyStep() throws {
        var step = 0
        while true {
            step += 1
            let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 1, dropsOldest: false))
            let recorder = try rig.recorder()
            try recorder.start()
            for _ in 0..<2 { try recorder.record() }
            guard try Mortal(rig).live(until: step) else { break }
            try expectWhole(rig, segments: 2)
        }
        #expect(step > 15)
    }

    @Test("killed at random again and again: nothing missing, nothing twice, nothing freed early")
    func random() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4 {
            let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 40_000, dropsOldest: false))
            let recorder = try rig.recorder()
            try recorder.start()
            for round in 0..<10 {
                if round < 5 { try recorder.record() }
                if round == 7 { try rig.loseCatalog() }
                _ = try Mortal(rig).live(until: .random(in: 1...25, using: &random))
            }
            try expectWhole(rig, segments: 5)
        }
    }

    private func expectWhole(_ rig: Rig, segments: Int) throws {
        try rig.sync()
        let rows = try rig.rows()
        #expect(rows.count == segments)
        #expect(rows.allSatisfy { $0.state == .verified && !$0.isUncertain })
        #expect(try rig.objects() == rows.map(\.key).sorted())
        let leftovers = try FileManager.default.subpathsOfDirectory(atPath: rig.root + "/store").filter {
            $0.hasSuffix(".tmp")
        }
        #expect(leftovers == [])
    }
}

/// A cvr-sync that dies at a step, and proves with each step that nothing is freed before it is verified.
private struct Mortal {
    let rig: Rig

    init(_ rig: Rig) { self.rig = rig }

    /// False when it got to its end before that step.
    func live(until step: Int) throws -> Bool {
        let left = Mutex(step)
        let work = try rig.workspace(step: { _ in
            if left.withLock({ count in
                count -= 1
                return count == 0
            }) {
                throw Rig.Killed()
            }
        })
        defer { expectNothingFreedEarly() }
        do {
            try rig.sync(work)
            return false
        } catch is Rig.Killed {
            return true
        }
    }

    private func expectNothingFreedEarly() {
        do {
            let store = FileStore(root: rig.root + "/store")
            // Until a new catalog has seen the store it knows what went from the journal alone.
            let isRebuilt = try rig.workspace().catalog.note("storeListed") != nil
            let local = Set(try rig.cached().map { $0.split(separator: "/").last ?? "" })
            for row in try rig.rows()
            where !local.contains(Substring(SegmentFileName(start: row.start, id: row.id).leaf)) {
                let key = try #require(ObjectKey(row.key))
                let stored = try #require(try store.checksum(of: key))
                guard isRebuilt || row.state == .verified else { continue }
                #expect(row.state == .verified)
                #expect(stored == row.checksum)
            }
        } catch {
            Issue.record(error)
        }
    }
}
