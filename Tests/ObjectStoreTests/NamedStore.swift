import Foundation
import HTTP
import ObjectStore
import Recording
import TestSupport

/// A store that whoever runs the tests has: AWS, Garage, Ceph, the Azure emulator.
///
/// `CVR_STORE_URL` is as in cvr.yaml, `CVR_STORE_CREDENTIAL` the path of a file with the credential. What is written lies
/// below a prefix of the test's own, and stays.
struct NamedStore {
    private let location: StoreLocation
    private let credential: String

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let url = environment["CVR_STORE_URL"], let file = environment["CVR_STORE_CREDENTIAL"] else {
            throw Missed("set CVR_STORE_CREDENTIAL to a file with the credential of CVR_STORE_URL")
        }
        location = try StoreLocation(url)
        credential = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func store(prefix: String) throws -> any ObjectStore {
        let client = HTTPClient(HTTPSettings())
        switch location {
        case .file: throw Missed("CVR_STORE_URL names a folder: those are tested anyway")
        case .s3(var bucket):
            guard let credential = S3Credential(credential) else { throw Missed("not ACCESS_KEY_ID:SECRET") }
            bucket.prefix = [bucket.prefix, prefix].filter { !$0.isEmpty }.joined(separator: "/")
            return S3Store(bucket, credential, client, clock: wallClock)
        case .azureBlob(var container):
            container.prefix = [container.prefix, prefix].filter { !$0.isEmpty }.joined(separator: "/")
            return try AzureStore(container, credential: credential, client)
        }
    }
}
