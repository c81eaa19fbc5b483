import Foundation
import ObjectStore
import Recording
import Synchronization

/// A store in memory: the contract's second conformer.
final class MemoryStore: ObjectStore {
    private struct Item {
        var bytes: [UInt8]
        var metadata: ObjectMetadata
    }

    private let identities = Mutex<[SiteName: String]>([:])
    private let items = Mutex<[ObjectKey: Item]>([:])

    func prepare() {}

    func identity(of site: SiteName) -> String? { identities.withLock { $0[site] } }

    func setIdentity(_ identity: String, of site: SiteName) { identities.withLock { $0[site] = identity } }

    func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome {
        guard items.withLock({ $0[key] == nil }) else { return .exists }
        guard let bytes = FileManager.default.contents(atPath: file), CRC32C(bytes).value == metadata.checksum else {
            throw ObjectStoreError("read", file, detail: "it changed", nextStep: "none", scope: .object)
        }
        items.withLock { $0[key] = Item(bytes: Array(bytes), metadata: metadata) }
        return .stored
    }

    func head(_ key: ObjectKey) -> StoredObject? {
        items.withLock { $0[key] }.map { StoredObject(bytes: Int64($0.bytes.count), metadata: $0.metadata) }
    }

    func checksum(of key: ObjectKey) -> UInt32? { items.withLock { $0[key] }.map { CRC32C($0.bytes).value } }

    func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8] {
        guard let item = items.withLock({ $0[key] }) else {
            throw ObjectStoreError("read", key.text, detail: "no object", nextStep: "none", scope: .object)
        }
        return Array(item.bytes.dropFirst(Int(offset)).prefix(count))
    }

    func delete(_ key: ObjectKey) { items.withLock { _ = $0.removeValue(forKey: key) } }

    func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, Int64) throws -> Void
    ) throws {
        let all = items.withLock { $0 }.sorted { $0.key.text < $1.key.text }
        for (key, item) in all where key.text.hasPrefix(prefix + "/") && key.text > last?.text ?? "" {
            try body(key, Int64(item.bytes.count))
        }
    }
}
