import Foundation
import ObjectStore
import Recording
import Sync
import Synchronization

/// A folder that behaves like a service: it vouches for what it stored, cannot vanish, counts each request, and fails as
/// a test says.
struct ScriptedService: ObjectStore {
    typealias Script = @Sendable (_ request: String, _ count: Int) throws -> Void

    private final class Counts: Sendable {
        let requests = Mutex<[String: Int]>([:])
        let underWay = Mutex((now: 0, most: 0))
    }

    let folder: FileStore
    let script: Script
    /// What it does with a put by its key, before anything else.
    var admits: @Sendable (ObjectKey) throws -> Void = { _ in }
    /// Why it keeps an object that it is to delete; nil when it does not.
    var keeps: @Sendable (ObjectKey) -> ObjectStoreError? = { _ in nil }
    var capabilities = StoreCapabilities(putsIfAbsent: true, vouches: true, readsRanges: true)
    /// So many of the first comparisons come back as if there were another object.
    var damagedAnswers = 0
    private let counts = Counts()

    init(root: String, script: @escaping Script = { _, _ in }) {
        folder = FileStore(root: root)
        self.script = script
    }

    var requests: [String: Int] { counts.requests.withLock { $0 } }
    var mostAtOnce: Int { counts.underWay.withLock { $0.most } }

    private func request<Value>(_ name: String, _ body: () throws -> Value) throws -> Value {
        let count = counts.requests.withLock { requests in
            requests[name, default: 0] += 1
            return requests[name, default: 0]
        }
        counts.underWay.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
        defer { counts.underWay.withLock { $0.now -= 1 } }
        try script(name, count)
        return try body()
    }

    var canVanish: Bool { false }
    func prepare() throws { try folder.prepare() }

    func probe(_ document: DocumentKey) throws -> StoreCapabilities {
        try request("probe") { capabilities }
    }

    func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome {
        try request("put") {
            try admits(key)
            return try folder.put(file, as: key, metadata) == .exists ? .exists : .verified
        }
    }

    func compare(_ key: ObjectKey, with file: String, _ metadata: ObjectMetadata) throws -> Comparison? {
        try request("compare") {
            let found = try folder.compare(key, with: file, metadata)
            return requests["compare", default: 0] <= damagedAnswers ? .different : found
        }
    }

    func head(_ key: ObjectKey) throws -> StoredObject? { try request("head") { try folder.head(key) } }

    func checksum(of key: ObjectKey) throws -> UInt32? {
        try request("checksum") {
            let found = try folder.checksum(of: key)
            return requests["checksum", default: 0] <= damagedAnswers ? found.map { ~$0 } : found
        }
    }

    func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8] {
        try request("read") { try folder.read(key, offset: offset, count: count) }
    }

    func delete(_ keys: [ObjectKey]) throws -> [ObjectKey: ObjectStoreError] {
        try request("delete") {
            let kept = keys.reduce(into: [:]) { kept, key in kept[key] = keeps(key) }
            return try folder.delete(keys.filter { kept[$0] == nil }).merging(kept) { $1 }
        }
    }

    func folders(in path: String) throws -> [String] { try request("folders") { try folder.folders(in: path) } }

    func documents(in path: String) throws -> [DocumentKey] {
        try request("documents") { try folder.documents(in: path) }
    }

    func document(_ key: DocumentKey) throws -> StoredDocument? { try request("document") { try folder.document(key) } }

    func putDocument(_ bytes: [UInt8], as key: DocumentKey, if condition: DocumentCondition) throws -> Bool {
        try request("putDocument") { try folder.putDocument(bytes, as: key, if: condition) }
    }

    func deleteDocument(_ key: DocumentKey) throws { try request("deleteDocument") { try folder.deleteDocument(key) } }

    func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, Int64) throws -> Void
    ) throws {
        try request("list") { try folder.list(prefix, after: last, skipped: skipped, body) }
    }
}
