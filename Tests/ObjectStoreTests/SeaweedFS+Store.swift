import Foundation
import HTTP
import ObjectStore
import Recording
import TestSupport

extension SeaweedFS {
    /// Below a prefix of the test's own: what it finds there it wrote itself.
    func store(prefix: String, credential: String? = nil, client: HTTPClient = HTTPClient(HTTPSettings())) throws
        -> S3Store
    {
        guard let credential = S3Credential(credential ?? self.credential) else { throw Missed("no credential") }
        let location = StoreLocation.S3(bucket: bucket, prefix: prefix, endpoint: endpoint, region: "us-east-1")
        return S3Store(location, credential, client, clock: wallClock)
    }
}

@Sendable func wallClock() -> WallTime { WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
