import Checksums
import Crypto
import Foundation
import HTTP
import Recording

extension S3Store {
    package func folders(in folder: String) throws -> [String] {
        let start = folder.isEmpty ? "" : folder + "/"
        let page = S3Page(prefix: connection.address.prefix + start, delimiter: "/")
        var found: [String] = []
        try everyPage(page) { listed in
            for name in listed.folders where name.hasPrefix(page.prefix) && name.hasSuffix("/") {
                found.append(String(name.dropFirst(page.prefix.count).dropLast()))
            }
        }
        return found.sorted()
    }

    package func documents(in folder: String) throws -> [DocumentKey] {
        var found: [DocumentKey] = []
        try everyPage(S3Page(prefix: "\(connection.address.prefix)\(folder)/", delimiter: "/")) { listed in
            found += listed.objects.compactMap { connection.address.key($0.key).flatMap { DocumentKey($0) } }
        }
        return found.sorted { $0.text < $1.text }
    }

    package func document(_ key: DocumentKey) throws -> StoredDocument? {
        var request = connection.request("read", "GET", key.text)
        request.limit = StoredDocument.limit
        let response: HTTPResponse
        do { response = try connection.send(request) } catch let error as ObjectStoreError where error.isTooLong {
            throw ObjectStoreError(tooLong: key)
        }
        switch response.status {
        case 200:
            guard let version = response["etag"] else { throw connection.stranger(request) }
            return StoredDocument(bytes: response.body, version: version)
        case 404 where S3Refusal(response).code == "NoSuchKey": return nil
        case 200..<300: throw connection.stranger(request)
        default: throw connection.refusal(request, response)
        }
    }

    package func putDocument(_ bytes: [UInt8], as key: DocumentKey, if condition: DocumentCondition) throws -> Bool {
        let able = capabilities.found
        if !able.putsIfAbsent, try !holds(condition, of: key) { return false }
        let (request, response) = try write(bytes, key, able.putsIfAbsent ? condition : .always)
        switch response.status {
        case 200:
            guard response["etag"] != nil else { throw connection.stranger(request) }
            let stored = response[S3Checksum.header]
            guard stored == nil || stored == S3Checksum.text(CRC32C(bytes).value) else {
                throw ObjectStoreError(
                    "store", key.text, detail: "the store holds other bytes than it was sent",
                    nextStep: "none; it is written again", scope: .store)
            }
            return true
        case 412: return false
        // The version of what is gone.
        case 404 where S3Refusal(response).code == "NoSuchKey": return false
        default: throw connection.refusal(request, response)
        }
    }

    package func deleteDocument(_ key: DocumentKey) throws { try deleteOne(key.text) }

    /// Reads the document, asks for it to be written as it is where nothing may be, and with a checksum that is wrong.
    ///
    /// Two requests that a store that can do all of it refuses; one that cannot writes what is there already.
    package func probe(_ document: DocumentKey) throws -> StoreCapabilities {
        guard let found = try self.document(document) else {
            throw ObjectStoreError(
                "probe", document.text, detail: "there is no such document", nextStep: "none; it is retried",
                scope: .store)
        }
        var able = capabilities.found
        able.putsIfAbsent = try told(write(found.bytes, document, .absent), by: 412, or: [200])
        able.readsRanges = try told(askForPart(document.text, offset: 0, count: 1), by: 206, or: [200])
        let look = try self.look(document.text)
        able.vouches = look?[S3Checksum.header] == S3Checksum.text(CRC32C(found.bytes).value)
        if able.vouches, able.putsIfAbsent {
            let wrong = ~CRC32C(found.bytes).value
            let attempt = try write(found.bytes, document, .version(found.version), checksum: wrong)
            able.vouches = try told(attempt, by: 400, or: [200, 412])
        }
        capabilities.remember(able)
        return able
    }

    /// True when the store answered as one that can; an answer that says neither, such as 503, is an error.
    private func told(
        _ attempt: (request: S3Request, response: HTTPResponse), by status: Int, or others: Set<Int>
    ) throws -> Bool {
        if attempt.response.status == status { return true }
        guard others.contains(attempt.response.status) else {
            throw connection.refusal(attempt.request, attempt.response)
        }
        return false
    }

    private func write(
        _ bytes: [UInt8], _ key: DocumentKey, _ condition: DocumentCondition, checksum: UInt32? = nil
    ) throws -> (request: S3Request, response: HTTPResponse) {
        var request = connection.request("store", "PUT", key.text)
        request.headers = [
            ("content-type", "application/json"), (S3Checksum.header, S3Checksum.text(checksum ?? CRC32C(bytes).value)),
        ]
        switch condition {
        case .always: break
        case .absent: request.headers.append(("if-none-match", "*"))
        case .version(let version): request.headers.append(("if-match", version))
        }
        request.body = .bytes(bytes)
        request.bill = .document
        return (request, try connection.sendUnlessInConflict(request))
    }

    /// For a store that knows no conditions: a look just before.
    private func holds(_ condition: DocumentCondition, of key: DocumentKey) throws -> Bool {
        switch condition {
        case .always: true
        case .absent: try look(key.text) == nil
        case .version(let version): try look(key.text)?["etag"] == version
        }
    }
}

extension S3Store {
    package func delete(_ keys: [ObjectKey]) throws -> [ObjectKey: ObjectStoreError] {
        var refused: [ObjectKey: ObjectStoreError] = [:]
        for start in stride(from: 0, to: keys.count, by: Self.batch) {
            refused.merge(try deleteBatch(keys[start...].prefix(Self.batch))) { first, _ in first }
        }
        return refused
    }

    private func deleteBatch(_ keys: ArraySlice<ObjectKey>) throws -> [ObjectKey: ObjectStoreError] {
        let bucket = connection.bucket
        var request = S3Request("delete", "POST", bucket.thing, path: bucket.path)
        let objects = keys.map { "<Object><Key>\(connection.address.prefix)\($0)</Key></Object>" }.joined()
        let body = Array(
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>\(objects)</Delete>".utf8)
        request.query = [("delete", "")]
        request.headers = [("content-md5", Data(Insecure.MD5.hash(data: body)).base64EncodedString())]
        request.body = .bytes(body)
        let response = try connection.send(request)
        if S3Refusal(response).isNotImplemented {
            for key in keys { try deleteOne(key.text) }
            return [:]
        }
        guard response.status == 200 else { throw connection.refusal(request, response) }
        let leaves: [XMLScanner.Leaf]
        do { leaves = try XMLScanner.leaves(response.body, root: "DeleteResult") } catch {
            throw connection.stranger(request)
        }
        return refusals(leaves, response)
    }

    private func refusals(_ leaves: [XMLScanner.Leaf], _ response: HTTPResponse) -> [ObjectKey: ObjectStoreError] {
        var refused: [ObjectKey: ObjectStoreError] = [:]
        var key: ObjectKey?
        for leaf in leaves {
            if leaf.path == ["DeleteResult", "Error", "Key"] {
                key = connection.address.key(leaf.text).flatMap { ObjectKey($0) }
            } else if leaf.path == ["DeleteResult", "Error", "Code"], let key, leaf.text != "NoSuchKey" {
                var error = S3Refusal(status: response.status, code: leaf.text).error("delete", key.text, response)
                error.scope = .object
                refused[key] = error
            }
        }
        return refused
    }

    private func deleteOne(_ key: String) throws {
        let request = connection.request("delete", "DELETE", key)
        let response = try connection.send(request)
        guard response.status == 204 || response.status == 200 || S3Refusal(response).code == "NoSuchKey" else {
            throw connection.refusal(request, response)
        }
    }
}
