import Catalog
import Checksums
import Foundation
import ObjectStore
import Recording
import SegmentStore
import Sync
import TestSupport

/// What was recorded, and so what the store must hold in the end: nothing missing, wrong, or more.
struct FaultLedger {
    private struct Object {
        var bytes: Int64
        var checksum: UInt32
        var file: String
        var isCached = true
    }

    private let rig: Rig
    private var objects: [ObjectKey: Object] = [:]

    init(_ rig: Rig) { self.rig = rig }

    var count: Int { objects.count }
    /// Those that were seen to have left the cache.
    var evicted: Int { objects.values.count { !$0.isCached } }

    /// Records one more segment, of a second.
    mutating func record(_ recorder: Recorder) throws -> SegmentFileName {
        let name = try recorder.record(seconds: 1)
        let file = "\(recorder.cache.path)/\(name.relativePath)"
        let bytes = Array(try Data(contentsOf: URL(filePath: file)))
        guard
            let key = ObjectKey(site: rig.settings.site, asset: "archive", start: name.start, counter: name.id.counter)
        else { throw Missed("no key for \(name)") }
        objects[key] = Object(bytes: Int64(bytes.count), checksum: CRC32C(bytes).value, file: file)
        return name
    }

    /// What left its cache since the last look and is not in the store, asked directly.
    mutating func evictedEarly(_ direct: any ObjectStore) throws -> [String] {
        var early: [String] = []
        for (key, object) in objects where object.isCached && !FileManager.default.fileExists(atPath: object.file) {
            objects[key]?.isCached = false
            if try direct.checksum(of: key) != object.checksum { early.append("\(key.text) was evicted early") }
        }
        return early
    }

    /// What is wrong with the store, asked directly, and with the catalog.
    func complaints(_ direct: any ObjectStore) throws -> [String] {
        var (found, complaints): (Set<ObjectKey>, [String]) = ([], [])
        try direct.list(rig.settings.site.text, after: nil, skipped: { throw $0 }) { key, bytes in
            if !found.insert(key).inserted { complaints.append("\(key.text) is there twice") }
            guard let wanted = objects[key] else {
                complaints.append("\(key.text) is too much")
                return
            }
            let stored = try direct.read(key, offset: 0, count: Int(wanted.bytes) + 1)
            guard bytes == wanted.bytes, CRC32C(stored).value == wanted.checksum else {
                complaints.append("\(key.text) is wrong")
                return
            }
        }
        complaints += objects.keys.filter { !found.contains($0) }.map { "\($0.text) is missing" }
        let rows = try rig.rows()
        if rows.count != objects.count { complaints.append("\(rows.count) of \(objects.count) are listed") }
        return complaints + rows.filter { $0.state != .verified }.map { "\($0.key) is \($0.state)" }
    }
}
