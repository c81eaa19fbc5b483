import Checksums
import HTTP
import Recording
import Synchronization

/// Bytes of objects: a part by its range, or, of a store that reads none, the whole, of which the rest is dropped as it
/// comes: no object is ever held.
extension S3Store {
    /// `count` bytes at `offset`, fewer at the end; nil when there is nothing.
    func part(_ key: String, offset: Int64, count: Int) throws -> [UInt8]? {
        guard count > 0, offset >= 0 else { return [] }
        guard capabilities.found.readsRanges else { return try partOfWhole(key, offset: offset, count: count) }
        let (request, response) = try askForPart(key, offset: offset, count: count)
        switch response.status {
        // Another part than was asked for is another answer.
        case 206
        where response.body.count <= count && response["content-range"]?.hasPrefix("bytes \(offset)-") == true:
            return response.body
        case 200 where response["etag"] != nil:
            return Array(response.body.dropFirst(Int(clamping: offset)).prefix(count))
        case 416: return []
        case 404 where S3Refusal(response).code == "NoSuchKey": return nil
        case 200..<300: throw connection.stranger(request)
        default: throw connection.refusal(request, response)
        }
    }

    func askForPart(
        _ key: String, offset: Int64, count: Int
    ) throws -> (request: S3Request, response: HTTPResponse) {
        var request = connection.request("read", "GET", key)
        request.headers = [("range", "bytes=\(offset)-\(offset.addingSaturated(Int64(count) - 1))")]
        request.limit = max(count, 64 << 10)
        return (request, try connection.send(request))
    }

    /// CRC-32C of all bytes, of which there are `length`; nil when there is no object.
    func readBack(_ key: ObjectKey, length: Int64) throws -> UInt32? {
        var checksum = CRC32C()
        guard capabilities.found.readsRanges else { return try checksumOfWhole(key) }
        var offset: Int64 = 0
        while offset < length {
            let count = Int(min(Int64(Self.piece), length - offset))
            guard let bytes = try part(key.text, offset: offset, count: count) else { return nil }
            guard !bytes.isEmpty else { throw connection.stranger(connection.request("read", "GET", key.text)) }
            checksum.update(bytes)
            offset += Int64(bytes.count)
        }
        return checksum.value
    }

    private func checksumOfWhole(_ key: ObjectKey) throws -> UInt32? {
        let checksum = Mutex(CRC32C())
        let isThere = try stream(key.text) { bytes in checksum.withLock { $0.update(bytes) } }
        return isThere ? checksum.withLock { $0.value } : nil
    }

    private func partOfWhole(_ key: String, offset: Int64, count: Int) throws -> [UInt8]? {
        let found = Mutex<(before: Int64, part: [UInt8])>((offset, []))
        let isThere = try stream(key) { bytes in
            found.withLock { found in
                let skipped = min(Int64(bytes.count), found.before)
                found.before -= skipped
                found.part.append(contentsOf: bytes.dropFirst(Int(skipped)).prefix(count - found.part.count))
            }
        }
        return isThere ? found.withLock { $0.part } : nil
    }

    /// Every byte of an object, as it comes; false when there is none.
    private func stream(_ key: String, _ take: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws -> Bool {
        var request = connection.request("read", "GET", key)
        request.sink = take
        let response = try connection.send(request)
        switch response.status {
        case 200 where response["etag"] != nil: return true
        case 404 where S3Refusal(response).code == "NoSuchKey": return false
        case 200..<300: throw connection.stranger(request)
        default: throw connection.refusal(request, response)
        }
    }
}
