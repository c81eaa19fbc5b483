import Foundation
import HTTP
import Synchronization

/// Uploads large objects in blocks where links keep breaking, so that what arrived need not be sent again.
///
/// Each block is a write that is billed: an object goes at once until its transfer broke twice. What was sent waits at
/// the service, for a week, under names that hold its MD5, which the service checked: a process that starts anew goes
/// on where this one was killed, and a list of such names vouches for the whole.
package final class AzureBlocks: Sendable {
    /// What is large, and how large a block is, in bytes.
    package struct Sizes: Hashable, Sendable {
        /// Put Blob takes no more at once.
        static let single: Int64 = 5000 << 20
        static let limit: Int64 = 50_000

        package var threshold: Int64
        package var block: Int64

        package init(threshold: Int64 = 64 << 20, block: Int64 = 16 << 20) {
            self.threshold = threshold
            self.block = max(1, block)
        }
    }

    private static let breaksToBlocks = 2
    /// Objects whose breaks are remembered; of one that was forgotten they are counted anew.
    private static let remembered = 1000
    private static let listLimit = 16 << 20

    private let container: AzureContainer
    private let sizes: Sizes
    private let breaks = Mutex<[ObjectKey: Int]>([:])

    init(_ container: AzureContainer, _ sizes: Sizes = Sizes()) {
        self.container = container
        self.sizes = sizes
    }

    func isLarge(_ bytes: Int64) -> Bool { bytes > sizes.threshold }

    func areNeeded(for key: ObjectKey, _ bytes: Int64) -> Bool {
        bytes > Sizes.single || isLarge(bytes) && breaks.withLock { $0[key, default: 0] } >= Self.breaksToBlocks
    }

    /// A transfer of the object ended without an answer.
    func broke(_ key: ObjectKey, _ bytes: Int64) {
        guard isLarge(bytes) else { return }
        breaks.withLock { breaks in
            if breaks.count >= Self.remembered { breaks.removeAll() }
            breaks[key, default: 0] += 1
        }
    }

    func forget(_ key: ObjectKey) { breaks.withLock { _ = $0.removeValue(forKey: key) } }

    /// Sends the blocks that the service does not have yet, and makes an object of all.
    ///
    /// `headers` are those of the object. Returns the answer to the last step.
    func put(
        _ file: String, _ digest: FileDigest, as key: ObjectKey, headers: [(name: String, value: String)]
    ) throws -> HTTPResponse {
        let path = container.path(key.text)
        let waiting = Set(try blocks(of: key, "uncommitted")?["UncommittedBlocks"] ?? [])
        let blocks = try plan(file, digest.bytes)
        for block in blocks where !waiting.contains(block.name) {
            let request = AzureRequest(
                "PUT", path, query: [("comp", "block"), ("blockid", block.name)],
                headers: [("content-md5", Data(block.md5).base64EncodedString())],
                body: .file(file, offset: block.offset, count: block.count), bill: .segment)
            let response = try container.send("put a block of", key.text, request)
            guard response.status == 201 else { throw ObjectStoreError("put a block of", key.text, azure: response) }
        }
        let items = blocks.map { "<Uncommitted>\($0.name)</Uncommitted>" }.joined()
        let list = Array("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>\(items)</BlockList>".utf8)
        let named = headers + [("x-ms-blob-content-md5", digest.md5), ("content-md5", FileDigest.md5(list))]
        return try container.send(
            "put", key.text,
            AzureRequest(
                "PUT", path, query: [("comp", "blocklist")], headers: named, body: .bytes(list), bill: .segment))
    }

    /// Whether an object that was made of blocks was made of those of the file; nil when it was put at once, and its
    /// MD5 is the service's own word.
    func vouch(for key: ObjectKey, _ file: String, _ bytes: Int64) throws -> Bool? {
        guard let committed = try blocks(of: key, "committed")?["CommittedBlocks"], !committed.isEmpty else {
            return nil
        }
        return try plan(file, bytes).map(\.name) == committed
    }

    private struct Block {
        var name: String
        var md5: [UInt8]
        var offset: Int64
        var count: Int64
    }

    /// The blocks of a file; their names are all of one length, as the service wants it.
    private func plan(_ file: String, _ bytes: Int64) throws -> [Block] {
        let size = max(sizes.block, (bytes + Sizes.limit - 1) / Sizes.limit, 1)
        var blocks: [Block] = []
        for offset in stride(from: 0, to: bytes, by: Int64.Stride(size)) {
            let count = min(size, bytes - offset)
            let md5 = try FileDigest.md5(file, offset: offset, count: count)
            let number = withUnsafeBytes(of: UInt32(truncatingIfNeeded: blocks.count).bigEndian) { Array($0) }
            blocks.append(
                Block(name: Data(number + md5).base64EncodedString(), md5: md5, offset: offset, count: count))
        }
        return blocks
    }

    /// Names of blocks by the element that lists them; nil when the service knows neither blob nor blocks.
    private func blocks(of key: ObjectKey, _ kind: String) throws -> [String: [String]]? {
        let request = AzureRequest(
            "GET", container.path(key.text), query: [("comp", "blocklist"), ("blocklisttype", kind)])
        let response = try container.send("list the blocks of", key.text, request, bodyLimit: Self.listLimit)
        if response.isNoSuchBlob { return nil }
        guard response.status == 200 else { throw ObjectStoreError("list the blocks of", key.text, azure: response) }
        var names: [String: [String]] = [:]
        do {
            for leaf in try XMLScanner.leaves(response.body, root: "BlockList") where leaf.path.count == 4 {
                if leaf.path[3] == "Name" { names[leaf.path[1], default: []].append(leaf.text) }
            }
        } catch {
            throw ObjectStoreError(
                "list the blocks of", key.text, detail: "the answer is no list of blocks",
                nextStep: "check what answers at store.url", scope: .store)
        }
        return names
    }
}
