import Checksums
import Foundation
package import HTTP
package import Recording
import Synchronization

/// A store in a container of Azure Blob Storage.
///
/// An object is one block blob, put at once: one write. The service checks its MD5 as it arrives, keeps it, and says so
/// in its answer; an object that exists is refused (`If-None-Match: *`). Its metadata is the blob's own.
package final class AzureStore: ObjectStore {
    /// Of what is read back to be checked, in bytes: the service adds an MD5 of no more.
    private static let chunk = 4 << 20

    private let container: AzureContainer
    private let blocks: AzureBlocks
    /// `Hot`, `Cool`, `Cold`; nil is the account's default.
    private let tier: String?
    private let capabilities = Mutex(StoreCapabilities(putsIfAbsent: true, vouches: true, readsRanges: true))

    /// A store with a credential: the text is an account's key, a SAS or `managed-identity`.
    ///
    /// `environment` says where a managed identity's tokens come from; `secrets` where the files of Azure Arc's
    /// challenges lie. Throws with scope `.store` for a credential that is none, or that would travel in clear.
    package init(
        _ location: StoreLocation.AzureBlob, credential text: String, _ client: HTTPClient,
        storageClass: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment,
        secrets: String = AzureIdentity.arcSecrets, blocks: AzureBlocks.Sizes = AzureBlocks.Sizes(),
        clock: ServiceClock = ServiceClock(), counting: @escaping BilledRequest.Counter = { _ in }
    ) throws(ObjectStoreError) {
        let isSecure = location.endpoint.map { $0.hasPrefix("https://") } ?? true
        let credential = try AzureCredential(text, account: location.account, isSecure: isSecure) {
            let isArc = access(AzureIdentity.arcProgram, F_OK) == 0
            return AzureIdentity(
                .init(environment: environment, isArcInstalled: isArc), client: client, secrets: secrets)
        }
        container = AzureContainer(location, credential, client: client, clock: clock, counting: counting)
        self.blocks = AzureBlocks(container, blocks)
        tier = storageClass
    }

    package var canVanish: Bool { false }

    /// Asks after a blob that nobody has: the answer shows that the container is there and lets us read.
    package func prepare() throws {
        let response = try container.send("reach", "the container", AzureRequest("HEAD", container.path(".reach")))
        guard response.isNoSuchBlob || response.status == 200 else {
            throw ObjectStoreError("reach", "the container", azure: response)
        }
    }

    package func probe(_ document: DocumentKey) throws -> StoreCapabilities {
        guard let found = try self.document(document) else { throw Self.missing("probe", document.text) }
        let path = container.path(document.text)
        let range = try container.send(
            "probe", document.text, AzureRequest("GET", path, headers: [("x-ms-range", "bytes=0-0")]))
        let head = try container.send("probe", document.text, AzureRequest("HEAD", path))
        // Else a service that is busy would be taken for one that cannot.
        for answer in [range, head] where ![200, 206].contains(answer.status) {
            throw ObjectStoreError("probe", document.text, azure: answer)
        }
        let capabilities = StoreCapabilities(
            putsIfAbsent: try !putDocument(found.bytes, as: document, if: .absent),
            vouches: head["content-md5"] == FileDigest.md5(found.bytes), readsRanges: range.status == 206)
        self.capabilities.withLock { $0 = capabilities }
        return capabilities
    }
}

// Objects.
extension AzureStore {
    package func put(_ file: String, as key: ObjectKey, _ metadata: ObjectMetadata) throws -> PutOutcome {
        let digest = try FileDigest(file, expecting: metadata.checksum)
        if !capabilities.withLock({ $0.putsIfAbsent }), try head(key) != nil { return .exists }
        var headers = metadata.fields.map { (name: "x-ms-meta-\($0.name)", value: $0.value) }
        headers += [("if-none-match", "*"), ("x-ms-blob-content-type", "video/mp4")]
        if let tier { headers.append(("x-ms-access-tier", tier)) }
        if blocks.areNeeded(for: key, digest.bytes) {
            let response = try blocks.put(file, digest, as: key, headers: headers)
            if response.status == 201 { blocks.forget(key) }
            return try outcome(of: response, key, isVerified: true)
        }
        headers += [("x-ms-blob-type", "BlockBlob"), ("content-md5", digest.md5)]
        let body = digest.bytes == 0 ? HTTPBody.none : .file(file, offset: 0, count: digest.bytes)
        let response: HTTPResponse
        do {
            response = try container.send(
                "put", key.text,
                AzureRequest("PUT", container.path(key.text), headers: headers, body: body, bill: .segment))
        } catch {
            blocks.broke(key, digest.bytes)
            throw error
        }
        blocks.forget(key)
        return try outcome(of: response, key, isVerified: response["content-md5"] == digest.md5)
    }

    private func outcome(of response: HTTPResponse, _ key: ObjectKey, isVerified: Bool) throws -> PutOutcome {
        if response.status == 201 { return isVerified ? .verified : .stored }
        guard response.isConditionNotMet else { throw ObjectStoreError("put", key.text, azure: response) }
        return .exists
    }

    package func compare(_ key: ObjectKey, with file: String, _ metadata: ObjectMetadata) throws -> Comparison? {
        let digest = try FileDigest(file, expecting: metadata.checksum)
        let first = try compare(key, file, digest, metadata)
        guard first == .different else { return first }
        // An alarm for somebody to look: what the network did to one answer must not raise it.
        guard try compare(key, file, digest, metadata) == .different else { throw Self.bent("look up", key.text) }
        return .different
    }

    private func compare(
        _ key: ObjectKey, _ file: String, _ digest: FileDigest, _ metadata: ObjectMetadata
    ) throws -> Comparison? {
        guard let found = try properties(key) else { return nil }
        guard found.bytes == digest.bytes else { return .different }
        guard let md5 = found.md5 else {
            return try checksum(of: key).map { $0 == metadata.checksum ? .equal : .different }
        }
        if blocks.isLarge(digest.bytes), let isSame = try blocks.vouch(for: key, file, digest.bytes) {
            return isSame ? .equal : .different
        }
        return md5 == digest.md5 ? .equal : .different
    }

    package func head(_ key: ObjectKey) throws -> StoredObject? {
        try properties(key).map { StoredObject(bytes: $0.bytes, metadata: $0.metadata) }
    }

    /// Reads it: the service keeps an MD5, but no CRC-32C.
    package func checksum(of key: ObjectKey) throws -> UInt32? {
        guard let bytes = try properties(key)?.bytes else { return nil }
        var checksum = CRC32C()
        var offset: Int64 = 0
        while offset < bytes {
            let part = try read(key, offset: offset, count: Int(min(Int64(Self.chunk), bytes - offset)))
            guard !part.isEmpty else { throw Self.missing("read", key.text) }
            checksum.update(part)
            offset += Int64(part.count)
        }
        return checksum.value
    }

    package func read(_ key: ObjectKey, offset: Int64, count: Int) throws -> [UInt8] {
        let count = max(count, 1)
        let range = "bytes=\(offset)-\(offset.addingSaturated(Int64(count) - 1))"
        var headers = [(name: "x-ms-range", value: range)]
        if count <= Self.chunk { headers.append(("x-ms-range-get-content-md5", "true")) }
        let response = try container.send(
            "read", key.text, AzureRequest("GET", container.path(key.text), headers: headers),
            bodyLimit: count + (64 << 10))
        if response.status == 416, response.azureCode == "InvalidRange" { return [] }
        guard response.status == 206, response.body.count <= count else {
            throw ObjectStoreError("read", key.text, azure: response)
        }
        try Self.check(response, "read", key.text)
        return response.body
    }

    /// One by one: deletion costs nothing here.
    package func delete(_ keys: [ObjectKey]) throws -> [ObjectKey: ObjectStoreError] {
        var refused: [ObjectKey: ObjectStoreError] = [:]
        for key in keys {
            do { try delete(key.text) } catch let error as ObjectStoreError where error.scope == .object {
                refused[key] = error
            }
        }
        return refused
    }

    package func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, _ bytes: Int64) throws -> Void
    ) throws {
        try AzureListing(container: container).blobs(below: prefix + "/", after: last?.text) { name, bytes in
            if let key = ObjectKey(name) { try body(key, bytes) }
        }
    }

    private func properties(_ key: ObjectKey) throws -> (bytes: Int64, md5: String?, metadata: ObjectMetadata?)? {
        let response = try container.send(
            "look up", key.text, AzureRequest("HEAD", container.path(key.text)))
        if response.isNoSuchBlob { return nil }
        guard response.status == 200, let bytes = response["content-length"].flatMap({ Int64($0) }), bytes >= 0 else {
            throw ObjectStoreError("look up", key.text, azure: response)
        }
        return (bytes, response["content-md5"], ObjectMetadata(fields: { response["x-ms-meta-\($0)"] }))
    }
}

// Documents.
extension AzureStore {
    package func folders(in folder: String) throws -> [String] {
        let start = folder.isEmpty ? "" : folder + "/"
        var found: [String] = []
        try AzureListing(container: container).entries(start, byFolder: true) { entry in
            if case .folder(let name) = entry { found.append(String(name.dropFirst(start.count).dropLast())) }
        }
        return found.sorted()
    }

    package func documents(in folder: String) throws -> [DocumentKey] {
        var found: [DocumentKey] = []
        try AzureListing(container: container).entries(folder + "/", byFolder: true) { entry in
            if case .blob(let name, _) = entry, let key = DocumentKey(name) { found.append(key) }
        }
        return found
    }

    package func document(_ key: DocumentKey) throws -> StoredDocument? {
        let response: HTTPResponse
        do {
            response = try container.send(
                "read", key.text, AzureRequest("GET", container.path(key.text)), bodyLimit: StoredDocument.limit)
        } catch let error as ObjectStoreError where error.isTooLong {
            throw ObjectStoreError(tooLong: key)
        }
        if response.isNoSuchBlob { return nil }
        guard response.status == 200, let version = response["etag"] else {
            throw ObjectStoreError("read", key.text, azure: response)
        }
        try Self.check(response, "read", key.text)
        return StoredDocument(bytes: response.body, version: version)
    }

    package func putDocument(_ bytes: [UInt8], as key: DocumentKey, if condition: DocumentCondition) throws -> Bool {
        var headers = [
            (name: "x-ms-blob-type", value: "BlockBlob"), ("content-md5", FileDigest.md5(bytes)),
            ("x-ms-blob-content-type", "application/json"),
        ]
        switch condition {
        case .always: break
        case .absent: headers.append(("if-none-match", "*"))
        case .version(let version): headers.append(("if-match", version))
        }
        let response = try container.send(
            "put", key.text,
            AzureRequest("PUT", container.path(key.text), headers: headers, body: .bytes(bytes), bill: .document))
        if response.isConditionNotMet { return false }
        guard response.status == 201 else { throw ObjectStoreError("put", key.text, azure: response) }
        return true
    }

    package func deleteDocument(_ key: DocumentKey) throws { try delete(key.text) }

    private func delete(_ name: String) throws {
        let response = try container.send("delete", name, AzureRequest("DELETE", container.path(name)))
        guard response.status == 202 || response.isNoSuchBlob else {
            throw ObjectStoreError("delete", name, azure: response)
        }
    }

    /// What the service says that it sent must have arrived: over plain http nothing else sees to that.
    private static func check(_ response: HTTPResponse, _ operation: String, _ name: String) throws {
        guard let md5 = response["content-md5"], md5 != FileDigest.md5(response.body) else { return }
        throw bent(operation, name)
    }

    private static func bent(_ operation: String, _ name: String) -> ObjectStoreError {
        ObjectStoreError(
            operation, name, detail: "the answer changed on its way", nextStep: "none; it is retried", scope: .store)
    }

    private static func missing(_ operation: String, _ name: String) -> ObjectStoreError {
        ObjectStoreError(
            operation, name, detail: "it is not there any more", nextStep: "see who else writes to the container",
            scope: .object)
    }
}
