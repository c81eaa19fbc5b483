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

    private let documents = Mutex<[DocumentKey: [UInt8]]>([:])
    private let items = Mutex<[ObjectKey: Item]>([:])

    func prepare() {}

    var canVanish: Bool { false }

    func probe(_ document: DocumentKey) -> StoreCapabilities {
        StoreCapabilities(putsIfAbsent: true, vouches: true, readsRanges: true)
    }

    func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome {
        guard items.withLock({ $0[key] == nil }) else { return .exists }
        guard let bytes = FileManager.default.contents(atPath: file), CRC32C(bytes).value == metadata.checksum else {
            throw ObjectStoreError("read", file, detail: "it changed", nextStep: "none", scope: .object)
        }
        items.withLock { $0[key] = Item(bytes: Array(bytes), metadata: metadata) }
        return .verified
    }

    func head(_ key: ObjectKey) -> StoredObject? {
        items.withLock { $0[key] }.map { StoredObject(bytes: Int64($0.bytes.count), metadata: $0.metadata) }
    }

    func compare(_ key: ObjectKey, with file: String, _ metadata: ObjectMetadata) -> Comparison? {
        checksum(of: key).map { $0 == metadata.checksum ? .equal : .different }
    }

    func checksum(of key: ObjectKey) -> UInt32? { items.withLock { $0[key] }.map { CRC32C($0.bytes).value } }

    func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8] {
        guard let item = items.withLock({ $0[key] }) else {
            throw ObjectStoreError("read", key.text, detail: "no object", nextStep: "none", scope: .object)
        }
        return Array(item.bytes.dropFirst(Int(offset)).prefix(count))
    }

    func delete(_ keys: [ObjectKey]) -> [ObjectKey: ObjectStoreError] {
        items.withLock { items in for key in keys { items[key] = nil } }
        return [:]
    }

    func documents(in folder: String) -> [DocumentKey] {
        documents.withLock { $0 }.keys.sorted { $0.text < $1.text }.filter { key in
            key.text.hasPrefix(folder + "/") && !key.text.dropFirst(folder.count + 1).contains("/")
        }
    }

    func document(_ key: DocumentKey) -> StoredDocument? {
        documents.withLock { $0[key] }.map { StoredDocument(bytes: $0, version: CRC32C($0).hex) }
    }

    func putDocument(_ bytes: [UInt8], as key: DocumentKey, if condition: DocumentCondition) -> Bool {
        documents.withLock { documents in
            let found = documents[key].map { CRC32C($0).hex }
            switch condition {
            case .always: break
            case .absent: guard found == nil else { return false }
            case .version(let expected): guard found == expected else { return false }
            }
            documents[key] = bytes
            return true
        }
    }

    func deleteDocument(_ key: DocumentKey) { documents.withLock { $0[key] = nil } }

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
