import Checksums
import Foundation
package import HTTP
package import Recording
import Synchronization

/// A bucket of Amazon S3, or of what speaks its language: one object per segment, metadata as `x-amz-meta-*`.
///
/// A put is one request: the store refuses it if there is an object (`If-None-Match: *`), checks the CRC-32C before it
/// stores anything, and says which one it stored. What a store cannot do, as `probe` found, is done by a look before or
/// a comparison after. Without TLS the signature covers the body too.
package struct S3Store: ObjectStore {
    let connection: S3Connection
    let storageClass: String?
    /// What `probe` found; until then all is expected, and a put's own answer believed.
    let capabilities = Remembered()
    /// DeleteObjects takes no more.
    static let batch = 1000
    static let piece = 8 << 20

    /// Touches nothing yet; a `clock` that the store does not believe is corrected by the store's.
    package init(
        _ location: StoreLocation.S3, _ credential: S3Credential, _ client: HTTPClient, storageClass: String? = nil,
        clock: @escaping @Sendable () -> WallTime, counting: @escaping BilledRequest.Counter = { _ in }
    ) {
        connection = S3Connection(
            location, credential, client, clock: ServiceClock(local: clock), counting: counting)
        self.storageClass = storageClass
    }

    package var canVanish: Bool { false }

    /// Asks for the bucket, and for its list only if that fails: a HEAD does not say why.
    package func prepare() throws {
        let bucket = connection.bucket
        let look = S3Request("open", "HEAD", bucket.thing, path: bucket.path)
        guard !(200..<300).contains(try connection.send(look).status) else { return }
        _ = try page(S3Page(prefix: connection.address.prefix, limit: 1))
    }

    package func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome {
        let able = capabilities.found
        guard let count = try File.length(file) else { throw ObjectStoreError(goneFile: file) }
        if !able.putsIfAbsent, try head(key) != nil { return .exists }
        var request = connection.request("store", "PUT", key.text)
        let checksum = S3Checksum.text(metadata.checksum)
        request.headers = [("content-type", "video/mp4"), (S3Checksum.header, checksum)]
        request.headers += metadata.fields.map { ("x-amz-meta-" + $0.name, $0.value) }
        if able.putsIfAbsent { request.headers.append(("if-none-match", "*")) }
        if let storageClass { request.headers.append(("x-amz-storage-class", storageClass)) }
        request.body = .file(file, offset: 0, count: count)
        request.bill = .segment
        let response = try connection.sendUnlessInConflict(request)
        switch response.status {
        case 200: break
        case 412: return .exists
        default: throw try refusal(request, response, of: file, metadata)
        }
        guard response["etag"] != nil else { throw connection.stranger(request) }
        guard able.vouches, let stored = response[S3Checksum.header] else { return .stored }
        guard stored == checksum else {
            throw ObjectStoreError(
                "store", key.text, detail: "the store holds other bytes than it was sent",
                nextStep: "none; it is looked at again", scope: .store)
        }
        return .verified
    }

    package func compare(_ key: ObjectKey, with file: String, _ metadata: ObjectMetadata) throws -> Comparison? {
        guard let answer = try look(key.text) else { return nil }
        if let mine = try File.length(file), answer["content-length"] != String(mine) { return .different }
        let stored = try vouched(answer) ?? readBack(key, length: try length(answer, key))
        return stored.map { $0 == metadata.checksum ? .equal : .different }
    }

    package func head(_ key: ObjectKey) throws -> StoredObject? {
        guard let answer = try look(key.text) else { return nil }
        let metadata = ObjectMetadata(fields: { answer["x-amz-meta-" + $0] })
        return StoredObject(bytes: try length(answer, key), metadata: metadata)
    }

    package func checksum(of key: ObjectKey) throws -> UInt32? {
        guard let answer = try look(key.text) else { return nil }
        return try vouched(answer) ?? readBack(key, length: try length(answer, key))
    }

    private func length(_ answer: HTTPResponse, _ key: ObjectKey) throws -> Int64 {
        guard let bytes = answer["content-length"].flatMap({ Int64($0) }), bytes >= 0 else {
            throw connection.stranger(connection.request("look up", "HEAD", key.text))
        }
        return bytes
    }

    package func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8] {
        guard let bytes = try part(key.text, offset: offset, count: count) else {
            throw ObjectStoreError(
                "read", key.text, detail: "there is no such object", nextStep: "none: the next audit explains it",
                scope: .object)
        }
        return bytes
    }
}

extension S3Store {
    /// The answer to a HEAD that asks for the checksum too; nil when there is nothing.
    ///
    /// A HEAD has no body to say why it failed: what is not plain is asked again by a GET of one byte.
    func look(_ key: String) throws -> HTTPResponse? {
        var request = connection.request("look up", "HEAD", key)
        request.headers = [("x-amz-checksum-mode", "ENABLED")]
        let response = try connection.send(request)
        if response.status == 200 {
            guard response["etag"] != nil else { throw connection.stranger(request) }
            return response
        }
        if response.status == 404, response["x-amz-request-id"] != nil { return nil }
        guard try part(key, offset: 0, count: 1) != nil else { return nil }
        throw connection.refusal(request, response)
    }

    /// What the store itself computed over the whole object; nil when it did not.
    private func vouched(_ answer: HTTPResponse) -> UInt32? {
        guard capabilities.found.vouches, answer["x-amz-checksum-type"] != "COMPOSITE" else { return nil }
        return answer[S3Checksum.header].flatMap { S3Checksum($0)?.value }
    }

    /// Why a put was refused: bytes that are not those promised are the file's fault, or got damaged on the way.
    private func refusal(
        _ request: S3Request, _ response: HTTPResponse, of file: String, _ metadata: ObjectMetadata
    ) throws -> ObjectStoreError {
        let code = S3Refusal(response).code
        if ["BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"].contains(code) {
            guard let local = try File.open(file)?.checksum(chunk: Self.piece) else {
                return ObjectStoreError(goneFile: file)
            }
            if local != metadata.checksum { return ObjectStoreError(changedFile: file) }
        }
        return connection.refusal(request, response)
    }
}

/// What a store can do, once that was found.
final class Remembered: Sendable {
    private let value = Mutex(StoreCapabilities(putsIfAbsent: true, vouches: true, readsRanges: true))

    var found: StoreCapabilities { value.withLock { $0 } }
    func remember(_ capabilities: StoreCapabilities) { value.withLock { $0 = capabilities } }
}
