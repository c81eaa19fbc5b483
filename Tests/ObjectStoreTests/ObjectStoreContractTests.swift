import Checksums
import Foundation
import ObjectStore
import Recording
import TestSupport
import Testing

/// What every store owes its caller.
@Suite("Object store contract")
final class ObjectStoreContractTests {
    enum Kind {
        case file, s3, azblob
        /// The one that `CVR_STORE_URL` names, with the credential in the file `CVR_STORE_CREDENTIAL`.
        case named

        static var allCases: [Kind] {
            [.file, .s3, .azblob] + (ProcessInfo.processInfo.environment["CVR_STORE_URL"] == nil ? [] : [.named])
        }
    }

    let folder = FileManager.default.temporaryDirectory.appending(path: "store-\(UUID())").path
    let camera: CameraName
    let site: SiteName

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        camera = try #require(CameraName("front"))
        site = try #require(SiteName("plant"))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.

    /// An empty one, prepared.
    func store(_ kind: Kind) async throws -> any ObjectStore {
        let store: any ObjectStore =
            switch kind {
            case .file: FileStore(root: folder + "/objects")
            case .s3: try await SeaweedFS.shared.value.store(prefix: "contract/\(UUID())")
            case .azblob: try await AzureServer.shared.value.store(prefix: "contract/\(UUID())")
            case .named: try NamedStore().store(prefix: "contract/\(UUID())")
            }
        try store.prepare()
        if kind == .named {
            // What it lacks is done without, as by cvr-sync. No test looks at this site.
            let mark = try mark(try #require(SiteName("probed")))
            #expect(try store.putDocument([1], as: mark, if: .always))
            _ = try store.probe(mark)
        }
        return store
    }

    func key(_ counter: Int64, asset: String = "front") throws -> ObjectKey {
        let start = WallTime(microseconds: 1_795_427_280_123_000) + .seconds(counter * 30)
        return try #require(ObjectKey(site: site, asset: asset, start: start, counter: counter))
    }

    func file(_ bytes: [UInt8]) throws -> String {
        let path = folder + "/\(UUID()).mp4"
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    /// More than an object tells of.
    private let gaps = (Int64(0)..<20).map { index in
        let from = WallTime.earliest + .seconds(index * 60)
        return Gap(from: from, to: from + .milliseconds(2500), reason: .networkLoss, detail: "")
    }

    func metadata(_ bytes: [UInt8]) -> ObjectMetadata {
        ObjectMetadata(
            camera: camera, session: 3, duration: .milliseconds(30_016), codecs: "avc1.4d401f", timescale: 90_000,
            checksum: CRC32C(bytes).value, seek: [(0, 900), (2000, 500_000)], gaps: gaps, day: .earliest)
    }

    let content = [UInt8]((0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })

    @Test("what was put is there: bytes, length, checksum, metadata", arguments: Kind.allCases)
    func put(kind: Kind) async throws {
        let store = try await store(kind)
        let key = try key(0)
        #expect(try store.head(key) == nil)
        #expect(try store.checksum(of: key) == nil)
        #expect(try store.compare(key, with: file(content), metadata(content)) == nil)
        #expect(try store.putDocument([1], as: mark(site), if: .absent))
        let outcome: PutOutcome = try store.probe(mark(site)).vouches ? .verified : .stored
        #expect(try store.put(file(content), as: key, metadata(content)) == outcome)
        #expect(try store.compare(key, with: file(content), metadata(content)) == .equal)
        #expect(try store.compare(key, with: file([1]), metadata([1])) == .different)
        #expect(try store.head(key) == StoredObject(bytes: 700_000, metadata: metadata(content)))
        #expect(try store.head(key)?.metadata?.gaps(in: .earliest) == gaps.suffix(ObjectMetadata.gapLimit))
        #expect(try store.checksum(of: key) == CRC32C(content).value)
        #expect(try store.read(key, offset: 699_990, count: 50) == Array(content.suffix(10)))
        #expect(try store.read(key, offset: 5, count: 3) == Array(content[5..<8]))
        #expect(try store.read(key, offset: 700_000, count: 3) == [])
    }

    @Test("an object is never overwritten, by equal bytes or others", arguments: Kind.allCases)
    func exists(kind: Kind) async throws {
        let store = try await store(kind)
        let key = try key(0)
        _ = try store.put(file(content), as: key, metadata(content))
        #expect(try store.put(file(content), as: key, metadata(content)) == .exists)
        #expect(try store.put(file([1, 2, 3]), as: key, metadata([1, 2, 3])) == .exists)
        #expect(try store.checksum(of: key) == CRC32C(content).value)
        #expect(try store.head(key)?.metadata == metadata(content))
    }

    @Test("bytes that are not those promised are refused as this object's fault", arguments: Kind.allCases)
    func changedFile(kind: Kind) async throws {
        let store = try await store(kind)
        let key = try key(0)
        let error = #expect(throws: ObjectStoreError.self) {
            try store.put(file([9] + content), as: key, metadata(content))
        }
        #expect(error?.scope == .object)
        let missing = #expect(throws: ObjectStoreError.self) {
            try store.put(folder + "/no-such-file", as: key, metadata(content))
        }
        #expect(missing?.scope == .object)
        #expect(try store.head(key) == nil)
    }

    @Test("deletion is final, and of nothing is a success", arguments: Kind.allCases)
    func delete(kind: Kind) async throws {
        let store = try await store(kind)
        _ = try store.put(file(content), as: try key(0), metadata(content))
        _ = try store.put(file(content), as: try key(1), metadata(content))
        #expect(try store.delete([try key(0), try key(5)]) == [:])
        #expect(try store.delete([try key(0)]) == [:])
        #expect(try store.head(try key(0)) == nil)
        #expect(try store.head(try key(1)) != nil)
        #expect(throws: ObjectStoreError.self) { try store.read(try key(0), offset: 0, count: 1) }
    }

    @Test("a listing has the objects below a folder with their lengths, and no others", arguments: Kind.allCases)
    func list(kind: Kind) async throws {
        let store = try await store(kind)
        for counter in [0, 1, 200] as [Int64] { _ = try store.put(file([7]), as: try key(counter), metadata([7])) }
        _ = try store.put(file([7, 8]), as: try key(0, asset: "front-2"), metadata([7, 8]))
        var found: [String: Int64] = [:]
        try list(store, "plant/front") { found[$0.text] = $1 }
        #expect(found == [try key(0).text: 1, try key(1).text: 1, try key(200).text: 1])
        found = [:]
        try list(store, "plant") { found[$0.text] = $1 }
        #expect(found.count == 4)
        try list(store, "elsewhere") { key, _ in Issue.record("\(key)") }
        #expect(throws: CancellationError.self) { try list(store, "plant") { _, _ in throw CancellationError() } }
    }

    @Test("a listing goes on after any key that it came to, and misses and repeats none", arguments: Kind.allCases)
    func resume(kind: Kind) async throws {
        let store = try await store(kind)
        for asset in ["front", "front-2", "a"] {
            for counter in [0, 1, 200, 4000] as [Int64] {
                _ = try store.put(file([7]), as: try key(counter, asset: asset), metadata([7]))
            }
        }
        var all: [String] = []
        try list(store, "plant") { key, _ in all.append(key.text) }
        #expect(all.count == 12)
        for (index, text) in all.enumerated() {
            var rest: [String] = []
            try list(store, "plant", after: ObjectKey(text)) { key, _ in rest.append(key.text) }
            #expect(rest == Array(all[(index + 1)...]))
        }
    }

    @Test("a document is written when its condition holds, and is no object", arguments: Kind.allCases)
    func documents(kind: Kind) async throws {
        let store = try await store(kind)
        let (mark, other) = (try mark(site), try mark(try #require(SiteName("other"))))
        #expect(try store.document(mark) == nil)
        #expect(try store.putDocument([1, 2], as: mark, if: .absent))
        #expect(try !store.putDocument([3], as: mark, if: .absent))
        let first = try #require(try store.document(mark))
        #expect(first.bytes == [1, 2])
        #expect(try store.document(other) == nil)
        #expect(try store.putDocument([4], as: mark, if: .version(first.version)))
        #expect(try !store.putDocument([5], as: mark, if: .version(first.version)))
        #expect(try store.document(mark)?.bytes == [4])
        #expect(try store.putDocument([], as: mark, if: .always))
        #expect(try store.document(mark)?.bytes == [])
        try list(store, "plant") { key, _ in Issue.record("\(key)") }
        try store.deleteDocument(mark)
        try store.deleteDocument(mark)
        #expect(try store.document(mark) == nil)
    }

    @Test("a folder's documents are listed, and those of no other folder", arguments: Kind.allCases)
    func documentFolders(kind: Kind) async throws {
        let store = try await store(kind)
        let day = WallTime(microseconds: 1_795_427_280_123_000)
        let summary = try #require(DocumentKey(.summary(asset: "front", day: day), of: site))
        let holds = try ["a", "b-2"].map { try #require(DocumentKey(.hold(asset: "front", id: $0), of: site)) }
        let alien = try #require(DocumentKey(.hold(asset: "front-2", id: "a"), of: site))
        for key in holds + [summary, alien] { #expect(try store.putDocument([7], as: key, if: .always)) }
        #expect(try store.documents(in: "plant/front/holds") == holds)
        #expect(try store.documents(in: "plant/front/2026-11-23") == [summary])
        #expect(try store.documents(in: "plant/yard/holds") == [])
        #expect(try store.documents(in: "plant/front") == [])
    }

    @Test("the folders in a folder are listed by name, those below are not", arguments: Kind.allCases)
    func folders(kind: Kind) async throws {
        let store = try await store(kind)
        #expect(try store.putDocument([1], as: mark(site), if: .absent))
        for asset in ["front", "front-2", "a", "b", "z"] {
            for counter in [0, 1, 2880, 6000] as [Int64] {
                _ = try store.put(file([7]), as: try key(counter, asset: asset), metadata([7]))
            }
        }
        let hold = try #require(DocumentKey(.hold(asset: "b", id: "x"), of: site))
        #expect(try store.putDocument([7], as: hold, if: .always))
        #expect(try store.folders(in: "plant") == ["a", "b", "front", "front-2", "z"])
        #expect(try store.folders(in: "plant/front") == ["2026-11-23", "2026-11-24", "2026-11-25"])
        #expect(try store.folders(in: "plant/b").last == "holds")
        #expect(try store.folders(in: "plant/fron") == [] && store.folders(in: "elsewhere") == [])
    }

    @Test("a document that is longer than anybody reads is that document's trouble", arguments: Kind.allCases)
    func longDocument(kind: Kind) async throws {
        let store = try await store(kind)
        let key = try mark(site)
        #expect(try store.putDocument([UInt8](repeating: 7, count: StoredDocument.limit), as: key, if: .always))
        #expect(try store.document(key)?.bytes.count == StoredDocument.limit)
        #expect(try store.putDocument([UInt8](repeating: 7, count: StoredDocument.limit + 1), as: key, if: .always))
        let error = #expect(throws: ObjectStoreError.self) { try store.document(key) }
        #expect(error?.scope == .object)
    }

    func mark(_ site: SiteName) throws -> DocumentKey { try #require(DocumentKey(.mark, of: site)) }

    private func list(
        _ store: any ObjectStore, _ prefix: String, after last: ObjectKey? = nil,
        _ body: (ObjectKey, Int64) throws -> Void
    ) throws {
        try store.list(prefix, after: last, skipped: { Issue.record("\($0)") }, body)
    }
}
