import Checksums
import Crypto
import Foundation
import Recording

/// What a file is before it is sent: its length and its MD5, taken in the one reading that shows that it still has the
/// bytes that its metadata promises.
package struct FileDigest: Hashable, Sendable {
    private static let chunk = 256 << 10

    let bytes: Int64
    /// Base64, as headers have it.
    let md5: String

    /// Throws with scope `.object` when the file is gone, cannot be read or changed.
    init(_ path: String, expecting checksum: UInt32?) throws {
        guard let file = try Self.opened(path) else { throw ObjectStoreError(goneFile: path) }
        var (hash, crc) = (Insecure.MD5(), CRC32C())
        var offset: Int64 = 0
        while case let read = try Self.read(file, path, offset, Self.chunk), !read.isEmpty {
            hash.update(data: read)
            crc.update(read)
            offset += Int64(read.count)
        }
        guard crc.value == checksum else { throw ObjectStoreError(changedFile: path) }
        bytes = offset
        md5 = Data(hash.finalize()).base64EncodedString()
    }

    /// MD5 of one part of a file, raw.
    static func md5(_ path: String, offset: Int64, count: Int64) throws -> [UInt8] {
        guard let file = try opened(path) else { throw ObjectStoreError(goneFile: path) }
        var hash = Insecure.MD5()
        var done: Int64 = 0
        while done < count {
            let read = try read(file, path, offset + done, Int(min(Int64(chunk), count - done)))
            guard !read.isEmpty else { throw ObjectStoreError(changedFile: path) }
            hash.update(data: read)
            done += Int64(read.count)
        }
        return Array(hash.finalize())
    }

    package static func md5(_ bytes: [UInt8]) -> String { Data(Insecure.MD5.hash(data: bytes)).base64EncodedString() }

    /// Whatever is wrong with the file, it is the cache's disk that failed, not the store.
    private static func opened(_ path: String) throws -> File? {
        do { return try File.open(path) } catch var error as ObjectStoreError {
            error.scope = .object
            throw error
        }
    }

    private static func read(_ file: borrowing File, _ path: String, _ offset: Int64, _ count: Int) throws -> [UInt8] {
        do { return try file.read(offset: offset, count: count) } catch var error as ObjectStoreError {
            error.scope = .object
            throw error
        }
    }
}
