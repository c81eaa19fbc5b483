import CLinux
import Glibc
import ObjectStore

/// A store whose writes are counted as its operator is billed for them: each try, whatever became of it.
struct CountedStore: ObjectStore {
    let store: any ObjectStore
    let billed: BilledWrites

    var canVanish: Bool { store.canVanish }

    func prepare() throws { try store.prepare() }

    func probe(_ document: DocumentKey) throws -> StoreCapabilities {
        defer { if !store.canVanish { billed.countDocument(bytes: 0) } }
        return try store.probe(document)
    }

    func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome {
        do {
            let outcome = try store.put(file, as: key, metadata)
            billed.countSegment(bytes: outcome == .exists ? 0 : Self.length(of: file))
            return outcome
        } catch {
            billed.countSegment(bytes: 0)
            throw error
        }
    }

    /// The file may have been evicted since it was taken.
    private static func length(of file: String) -> Int64 {
        var status = stat()
        return stat(file, &status) == 0 ? Int64(status.st_size) : 0
    }

    func compare(_ key: ObjectKey, with file: String, _ metadata: ObjectMetadata) throws -> Comparison? {
        try store.compare(key, with: file, metadata)
    }

    func head(_ key: ObjectKey) throws -> StoredObject? { try store.head(key) }

    func checksum(of key: ObjectKey) throws -> UInt32? { try store.checksum(of: key) }

    func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8] {
        try store.read(key, offset: offset, count: count)
    }

    func delete(_ keys: [ObjectKey]) throws -> [ObjectKey: ObjectStoreError] { try store.delete(keys) }

    func documents(in folder: String) throws -> [DocumentKey] { try store.documents(in: folder) }

    func document(_ key: DocumentKey) throws -> StoredDocument? { try store.document(key) }

    func putDocument(_ bytes: [UInt8], as key: DocumentKey, if condition: DocumentCondition) throws -> Bool {
        billed.countDocument(bytes: Int64(bytes.count))
        return try store.putDocument(bytes, as: key, if: condition)
    }

    func deleteDocument(_ key: DocumentKey) throws { try store.deleteDocument(key) }

    func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, Int64) throws -> Void
    ) throws {
        try store.list(prefix, after: last, skipped: skipped, body)
    }
}
