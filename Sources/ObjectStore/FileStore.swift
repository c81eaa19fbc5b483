import CLinux
import Foundation
import Glibc
import Recording

/// A store in a directory: one file per object, its metadata beside it as JSON in `<key>.meta`.
///
/// One process writes below a site's folder. An object appears by rename, after its metadata and after its bytes
/// are on the disk; a crash leaves at most `<key>.tmp`, which the next put of that key, its deletion or a listing
/// removes. Objects are removed before their metadata, so that whoever sees an object sees its metadata too.
package struct FileStore: ObjectStore {
    /// Called between the steps of a put or a deletion; what it throws ends the call there, as a crash would.
    package typealias Step = @Sendable (StaticString) throws -> Void

    private let root: String
    private let step: Step
    private static let chunk = 256 << 10
    private static let temporary = ".tmp"
    private static let metadata = ".meta"

    /// Touches nothing yet; `root` is the path in `store.url`.
    package init(root: String, step: @escaping Step = { _ in }) {
        self.root = root
        self.step = step
    }

    /// Creates the root when its parent is there.
    ///
    /// Never more than one level: an archive must not grow beside the mount point that it belongs under.
    package func prepare() throws {
        let parent = root.split(separator: "/").dropLast().joined(separator: "/")
        try Directory.create(root, in: "/" + parent)
        guard access(root, W_OK | X_OK) == 0 else { throw ObjectStoreError("open", root, errno: errno) }
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
        try step("upload.stored")
        return .stored
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

    package func delete(_ key: ObjectKey) throws {
        let path = path(key)
        for suffix in [Self.temporary, "", Self.metadata] {
            guard unlink(path + suffix) == 0 || errno == ENOENT else {
                throw ObjectStoreError("delete", path + suffix, errno: errno)
            }
            try step("retain.deleted")
        }
        // The hour's and the day's folder go with their last object; one that is not empty refuses.
        let hour = parent(of: path)
        if rmdir(hour) == 0 { rmdir(parent(of: hour)) }
    }

    package func list(_ prefix: String, _ body: (ObjectKey, Int64) throws -> Void) throws {
        try list(folder: prefix.split(separator: "/").joined(separator: "/"), body)
    }

    private func list(folder: String, _ body: (ObjectKey, Int64) throws -> Void) throws {
        for entry in try Directory.entries(root + "/" + folder) where !entry.hasPrefix(".") {
            let name = folder.isEmpty ? entry : folder + "/" + entry
            let path = root + "/" + name
            if name.hasSuffix(Self.temporary), ObjectKey(name.dropLast(Self.temporary.count)) != nil {
                unlink(path)  // Left by a crash; one that stays harms nobody.
            } else if let key = ObjectKey(name) {
                if let length = try File.length(path) { try body(key, length) }
            } else if name.split(separator: "/").count < 5, Directory.exists(path) {
                try list(folder: name, body)
            }
        }
    }
}

extension FileStore {
    private func path(_ key: ObjectKey) -> String { root + "/" + key.text }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }

    private func makeFolders(_ key: ObjectKey) throws {
        var folder = root
        guard Directory.exists(root) else { throw ObjectStoreError("open", root, errno: ENOENT) }
        for part in key.text.split(separator: "/").dropLast() {
            try Directory.create(folder + "/" + part, in: folder)
            folder += "/" + part
        }
    }

    /// Copies and syncs; what was copied must be what the metadata promises.
    private func copy(_ source: String, to target: String, expecting metadata: ObjectMetadata) throws {
        guard let input = try File.open(source) else {
            throw ObjectStoreError(
                "read", source, errno: ENOENT, detail: "it is gone", nextStep: "none: the next survey explains it",
                scope: .object)
        }
        let output = try File.create(target)
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
            try output.write(bytes)
            checksum.update(bytes)
            offset += Int64(bytes.count)
            try step("upload.chunk")
        }
        guard checksum.value == metadata.checksum else {
            unlink(target)
            throw ObjectStoreError(
                "read", source, detail: "its bytes changed between two reads", nextStep: "check the cache's disk",
                scope: .object)
        }
        try output.sync()
    }

    private static func encode(_ metadata: ObjectMetadata) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(metadata)) + [UInt8(ascii: "\n")]
    }
}
