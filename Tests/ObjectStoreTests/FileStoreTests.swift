import Checksums
import Foundation
import Glibc
import ObjectStore
import Recording
import Synchronization
import Testing

@Suite("File store")
final class FileStoreTests {
    struct Crash: Error {}

    let folder = FileManager.default.temporaryDirectory.appending(path: "file-store-\(UUID())").path
    let key: ObjectKey
    let content = [UInt8](repeating: 0x5A, count: 600_000)
    let metadata: ObjectMetadata
    let file: String

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        key = try #require(ObjectKey("plant/front/2026-11-23/09/48-00.123Z.0.mp4"))
        let camera = try #require(CameraName("front"))
        metadata = ObjectMetadata(
            camera: camera, session: 1, duration: .seconds(30), codecs: "ulaw", timescale: 8000,
            checksum: CRC32C(content).value, seek: [])
        file = folder + "/segment.mp4"
        try Data(content).write(to: URL(filePath: file))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.

    func names(_ store: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: store).filter { $0.contains(".mp4") }.sorted()
    }

    @Test("a put that dies at any step leaves no visible object before its metadata, and is put again to the same end")
    func everyStep() throws {
        var died = 0
        for fatal in 1...50 {
            let root = folder + "/store-\(fatal)"
            let reached = Mutex(0)
            let mortal = FileStore(root: root) { _ in
                if reached.withLock({ count in
                    count += 1
                    return count == fatal
                }) {
                    throw Crash()
                }
            }
            try mortal.prepare()
            do {
                _ = try mortal.put(file, as: key, metadata)
                break
            } catch is Crash {
                died += 1
            }
            let store = FileStore(root: root)
            if let seen = try store.head(key) {
                #expect(seen == StoredObject(bytes: 600_000, metadata: metadata))
                #expect(try store.put(file, as: key, metadata) == .exists)
            } else {
                #expect(try store.put(file, as: key, metadata) == .stored)
            }
            #expect(try store.checksum(of: key) == metadata.checksum)
            #expect(try names(root) == [key.text, key.text + ".meta"])
        }
        #expect(died >= 6)
    }

    @Test(
        "a listing clears what a crash left, and shows no object of it; so does a deletion",
        arguments: [("upload.copied", [".tmp"]), ("upload.described", [".meta", ".tmp"])])
    func leftovers(step: String, left: [String]) throws {
        let root = folder + "/store"
        let store = FileStore(root: root) { if $0.description == step { throw Crash() } }
        try store.prepare()
        for clear in [list, delete] {
            #expect(throws: Crash.self) { try store.put(file, as: key, metadata) }
            try Data("{".utf8).write(to: URL(filePath: "\(root)/\(key.text).meta.tmp"))
            #expect(try names(root) == (left + [".meta.tmp"]).map { key.text + $0 }.sorted())
            try clear(FileStore(root: root))
            #expect(try names(root) == [])
        }
    }

    func list(_ store: FileStore) throws {
        try store.list("plant", after: nil, skipped: { Issue.record("\($0)") }, { key, _ in Issue.record("\(key)") })
    }

    func delete(_ store: FileStore) throws { #expect(try store.delete([key]) == [:]) }

    @Test("what cannot be looked into is told, and the rest is listed")
    func unreadable() throws {
        let root = folder + "/store"
        let store = FileStore(root: root)
        try store.prepare()
        _ = try store.put(file, as: key, metadata)
        let inTheWay = "\(root)/plant/front/2026-11-23/09/47-00.123Z.7.mp4"
        try FileManager.default.createDirectory(atPath: inTheWay, withIntermediateDirectories: true)
        var (skipped, listed): ([ObjectStoreError], [ObjectKey]) = ([], [])
        try store.list("plant", after: nil, skipped: { skipped.append($0) }, { key, _ in listed.append(key) })
        #expect(listed == [key])
        #expect(skipped.map(\.thing) == [inTheWay] && skipped.allSatisfy { $0.scope == .object })
    }

    @Test("a copy that does not fit leaves no bytes behind")
    func noSpace() throws {
        let root = folder + "/store"
        let full = ObjectStoreError("write", root, errno: ENOSPC)
        let store = FileStore(root: root) { if $0.description == "upload.chunk" { throw full } }
        try store.prepare()
        let error = #expect(throws: ObjectStoreError.self) { try store.put(file, as: key, metadata) }
        #expect(error?.scope == .store)
        #expect(try names(root) == [])
    }

    @Test("the last object of an hour takes its folders along")
    func emptyFolders() throws {
        let store = FileStore(root: folder + "/store")
        try store.prepare()
        _ = try store.put(file, as: key, metadata)
        #expect(try store.delete([key]) == [:])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/store/plant/front") == [])
    }

    @Test("metadata is JSON with the wire's names")
    func json() throws {
        let store = FileStore(root: folder + "/store")
        try store.prepare()
        _ = try store.put(file, as: key, metadata)
        let text = try Data(contentsOf: URL(filePath: folder + "/store/" + key.text + ".meta"))
        let names = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any]).keys.sorted()
        #expect(names == ["camera", "codecs", "crc32c", "duration", "seek", "session", "timescale", "version"])
    }

    @Test("rotten bytes are told by a checksum that is read, not remembered")
    func rot() throws {
        let store = FileStore(root: folder + "/store")
        try store.prepare()
        _ = try store.put(file, as: key, metadata)
        let handle = try #require(FileHandle(forUpdatingAtPath: folder + "/store/" + key.text))
        try handle.seek(toOffset: 1234)
        try handle.write(contentsOf: Data([0]))
        try handle.close()
        #expect(try store.checksum(of: key) != metadata.checksum)
        #expect(try store.head(key)?.metadata?.checksum == metadata.checksum)
    }

    @Test("a store whose disk is away is the store's trouble; nothing is put beside its mount point")
    func away() throws {
        let store = FileStore(root: folder + "/not/mounted")
        #expect(throws: ObjectStoreError.self) { try store.prepare() }
        let error = #expect(throws: ObjectStoreError.self) { try store.put(file, as: key, metadata) }
        #expect(error?.scope == .store)
        #expect(!FileManager.default.fileExists(atPath: folder + "/not"))
    }
}
