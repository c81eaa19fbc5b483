import CLinux
import Checksums
import Foundation
import Glibc
import Recording
import Synchronization

/// A store in a directory: one file per object, its metadata beside it as JSON in `<key>.meta`.
///
/// One process writes below a site's folder. An object appears by rename, after its metadata and after its bytes
/// are on the disk; a crash leaves at most `<key>.tmp`, `<key>.meta.tmp` and a `<key>.meta` without its object, which
/// the next put of that key, its deletion or a listing removes. Objects are removed before their metadata, so that
/// whoever sees an object sees its metadata too.
package struct FileStore: ObjectStore {
    /// Called between the steps of a put or a deletion; what it throws ends the call there, as a crash would.
    package typealias Step = @Sendable (StaticString) throws -> Void
    /// Asked before bytes of an object are written: zero when they may be, else how long to wait before asking again.
    package typealias Pace = @Sendable (_ bytes: Int) -> Duration

    private let root: String
    private let pace: Pace
    private let step: Step
    private let counting: BilledRequest.Counter
    private static let chunk = 256 << 10
    private static let temporary = ".tmp"
    private static let metadata = ".meta"
    /// The last hour of each asset whose every parent this process made durable.
    private let synced = SyncedFolders()

    /// Touches nothing yet; `root` is the path in `store.url`.
    package init(
        root: String, step: @escaping Step = { _ in }, pace: @escaping Pace = { _ in .zero },
        counting: @escaping BilledRequest.Counter = { _ in }
    ) {
        self.root = root
        self.pace = pace
        self.step = step
        self.counting = counting
    }

    /// Creates the root when its parent is there.
    ///
    /// Never more than one level: an archive must not grow beside the mount point that it belongs under. That it grows
    /// on the mount point itself `identity` is there to prevent.
    package func prepare() throws {
        let parent = root.split(separator: "/").dropLast().joined(separator: "/")
        try Directory.create(root, in: "/" + parent)
        guard access(root, W_OK | X_OK) == 0 else { throw ObjectStoreError("open", root, errno: errno) }
    }

    package var canVanish: Bool { true }

    /// A file system does all of it; that what was written is there is read back.
    package func probe(_ document: DocumentKey) throws -> StoreCapabilities {
        StoreCapabilities(putsIfAbsent: true, vouches: false, readsRanges: true)
    }

    package func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome {
        let path = path(key)
        guard try File.length(path) == nil else { return .exists }
        try makeFolders(key)
        try step("upload.folders")
        try copy(file, to: path + Self.temporary, expecting: metadata)
        try step("upload.copied")
        let folder = parent(of: path)
        try File.replace(path + Self.metadata, with: try Self.encode(metadata))
        try step("upload.described")
        try Directory.sync(folder)
        guard rename(path + Self.temporary, path) == 0 else { throw ObjectStoreError("store", path, errno: errno) }
        try step("upload.renamed")
        try Directory.sync(folder)
        counting(BilledRequest(.segment, bytes: try File.length(path) ?? 0))
        try step("upload.stored")
        return .stored
    }

    package func compare(
        _ key: ObjectKey, with file: String, _ metadata: ObjectMetadata
    ) throws -> Comparison? {
        try checksum(of: key).map { $0 == metadata.checksum ? .equal : .different }
    }

    package func head(_ key: ObjectKey) throws -> StoredObject? {
        let path = path(key)
        guard let length = try File.length(path) else { return nil }
        guard let text = try File.contents(path + Self.metadata, limit: 64 << 10) else {
            return StoredObject(bytes: length, metadata: nil)
        }
        // Metadata that does not parse is as good as none: the object's own bytes say the same.
        return StoredObject(bytes: length, metadata: try? JSONDecoder().decode(ObjectMetadata.self, from: Data(text)))
    }

    /// Reads the object back, past the page cache where the kernel lets go of it.
    package func checksum(of key: ObjectKey) throws -> UInt32? {
        guard let file = try File.open(path(key)) else { return nil }
        file.forgetCached()
        return try file.checksum(chunk: Self.chunk)
    }

    package func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8] {
        let path = path(key)
        guard let file = try File.open(path) else { throw ObjectStoreError("read", path, errno: ENOENT) }
        return try file.read(offset: offset, count: count)
    }

    package func delete(_ keys: [ObjectKey]) throws -> [ObjectKey: ObjectStoreError] {
        var refused: [ObjectKey: ObjectStoreError] = [:]
        for key in keys {
            do { try delete(key) } catch let error as ObjectStoreError where error.scope == .object {
                refused[key] = error
            }
        }
        return refused
    }

    private func delete(_ key: ObjectKey) throws {
        let path = path(key)
        for suffix in [Self.temporary, Self.metadata + Self.temporary, "", Self.metadata] {
            guard unlink(path + suffix) == 0 || errno == ENOENT else {
                throw ObjectStoreError("delete", ofObject: path + suffix, errno: errno)
            }
            try step("retain.deleted")
        }
        // The hour's and the day's folder go with their last object; one that is not empty refuses.
        let hour = parent(of: path)
        if rmdir(hour) == 0 { rmdir(parent(of: hour)) }
    }

    /// By path, folder for folder.
    package func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, Int64) throws -> Void
    ) throws {
        let folder = prefix.split(separator: "/").map { String($0) }
        let from = last.map { $0.text.split(separator: "/").map { String($0) } } ?? []
        let entries: [String]
        do { entries = try Directory.entries(root + "/" + folder.joined(separator: "/")) } catch let error
            as ObjectStoreError where folder.count > 1
        {
            return try skipped(error)
        }
        try list(entries, of: folder, after: from, skipped: skipped, body)
    }

    private func list(
        _ entries: [String], of folder: [String], after last: [String], skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, Int64) throws -> Void
    ) throws {
        // The last key's own way down: what sorts before it is behind us.
        let isOnWay = last.count > folder.count && last.prefix(folder.count).elementsEqual(folder)
        for entry in entries where !entry.hasPrefix(".") && !(isOnWay && entry < last[folder.count]) {
            let path = folder + [entry]
            guard path != last else { continue }
            do {
                let found = try look(at: path.joined(separator: "/"))
                if let (key, bytes) = found.object { try body(key, bytes) }
                try list(found.entries, of: path, after: last, skipped: skipped, body)
            } catch let error as Unreadable {
                try skipped(error.why)
            }
        }
    }

    /// One entry of a listing: an object, a folder of more entries, or neither.
    ///
    /// Removes what a crash left.
    private func look(at name: String) throws -> (object: (ObjectKey, Int64)?, entries: [String]) {
        let path = root + "/" + name
        do {
            if let key = ObjectKey(name) {
                return (try File.length(path).map { (key, $0) }, [])
            } else if isLeftover(name) {
                unlink(path)  // One that stays harms nobody.
            } else if name.split(separator: "/").count < 5, Directory.exists(path) {
                return (nil, try Directory.entries(path))
            }
            return (nil, [])
        } catch let error as ObjectStoreError {
            throw Unreadable(why: error)
        }
    }

    private func isLeftover(_ name: String) -> Bool {
        for suffix in [Self.metadata + Self.temporary, Self.temporary, Self.metadata] where name.hasSuffix(suffix) {
            guard let key = ObjectKey(name.dropLast(suffix.count)) else { continue }
            return suffix != Self.metadata || access(path(key), F_OK) != 0 && errno == ENOENT
        }
        return false
    }

    private struct Unreadable: Error {
        var why: ObjectStoreError
    }
}

extension FileStore {
    /// One of the site's that cannot be looked into says nothing about the others.
    package func folders(in folder: String) throws -> [String] {
        let path = "\(root)/\(folder)"
        do { return try Directory.entries(path).filter { Directory.exists("\(path)/\($0)") } } catch {
            guard var error = error as? ObjectStoreError, folder.contains("/") else { throw error }
            error.scope = .object
            throw error
        }
    }

    package func holds(_ folder: String) -> Bool { Directory.exists("\(root)/\(folder)") }

    package func documents(in folder: String) throws -> [DocumentKey] {
        try Directory.entries("\(root)/\(folder)").compactMap { DocumentKey("\(folder)/\($0)") }
    }

    package func document(_ key: DocumentKey) throws -> StoredDocument? {
        guard let bytes = try File.contents("\(root)/\(key)", limit: StoredDocument.limit + 1) else { return nil }
        guard bytes.count <= StoredDocument.limit else { throw ObjectStoreError(tooLong: key) }
        return StoredDocument(bytes: bytes, version: CRC32C(bytes).hex)
    }

    /// One process writes below a site's folder, so that nobody comes between the look and the write.
    package func putDocument(_ bytes: [UInt8], as key: DocumentKey, if condition: DocumentCondition) throws -> Bool {
        switch condition {
        case .always: break
        case .absent: guard try File.length("\(root)/\(key)") == nil else { return false }
        case .version(let expected): guard try document(key)?.version == expected else { return false }
        }
        var folder = root
        for part in key.text.split(separator: "/").dropLast() {
            try Directory.create("\(folder)/\(part)", in: folder)
            folder += "/" + part
        }
        try File.replace("\(root)/\(key)", with: bytes)
        try Directory.sync(folder)
        counting(BilledRequest(.document, bytes: Int64(bytes.count)))
        return true
    }

    package func deleteDocument(_ key: DocumentKey) throws {
        let path = "\(root)/\(key)"
        guard unlink(path) == 0 || errno == ENOENT else {
            throw ObjectStoreError("delete", ofObject: path, errno: errno)
        }
    }
}

extension FileStore {
    private func path(_ key: ObjectKey) -> String { root + "/" + key.text }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }

    /// The folders of a key, durable when an object in them is to be.
    private func makeFolders(_ key: ObjectKey) throws {
        guard Directory.exists(root) else { throw ObjectStoreError("open", root, errno: ENOENT) }
        var folder = root
        var parents: [String] = []
        for part in key.text.split(separator: "/").dropLast() {
            try Directory.create(folder + "/" + part, in: folder)
            parents.append(folder)
            folder += "/" + part
        }
        try synced.once(folder, of: key.asset) {
            for parent in parents { try Directory.sync(parent) }
        }
    }

    /// Copies and syncs; what was copied must be what the metadata promises.
    private func copy(_ source: String, to target: String, expecting metadata: ObjectMetadata) throws {
        guard let input = try File.open(source) else {
            throw ObjectStoreError(goneFile: source)
        }
        let output = try File.create(target)
        do { try copy(input, to: output, expecting: metadata, source) } catch {
            unlink(target)  // It takes space that a full disk does not have.
            throw error
        }
    }

    private func copy(
        _ input: borrowing File, to output: borrowing File, expecting metadata: ObjectMetadata, _ source: String
    ) throws {
        var checksum = CRC32C()
        var offset: Int64 = 0
        while true {
            let bytes: [UInt8]
            do { bytes = try input.read(offset: offset, count: Self.chunk) } catch let error as ObjectStoreError {
                var mine = error
                mine.scope = .object  // The cache's disk failed, not the store's.
                throw mine
            }
            if bytes.isEmpty { break }
            try waitForTurn(bytes.count)
            try output.write(bytes)
            checksum.update(bytes)
            offset += Int64(bytes.count)
            try step("upload.chunk")
        }
        guard checksum.value == metadata.checksum else {
            throw ObjectStoreError(changedFile: source)
        }
        try output.sync()
    }

    /// In pieces, so that whoever is told to end need not wait it out.
    private func waitForTurn(_ bytes: Int) throws {
        while true {
            let pause = pace(bytes)
            guard pause > .zero else { return }
            usleep(UInt32(min(pause, .milliseconds(100)) / .microseconds(1)))
            try step("upload.chunk")
        }
    }

    private static func encode(_ metadata: ObjectMetadata) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(metadata)) + [UInt8(ascii: "\n")]
    }
}

/// What a process already made durable, so that it does so once.
private final class SyncedFolders: Sendable {
    private let last = Mutex<[String: String]>([:])

    /// Runs `sync` unless `folder` is the asset's last one that it succeeded for.
    func once(_ folder: String, of asset: String, _ sync: () throws -> Void) rethrows {
        guard last.withLock({ $0[asset] }) != folder else { return }
        try sync()
        last.withLock { $0[asset] = folder }
    }
}
