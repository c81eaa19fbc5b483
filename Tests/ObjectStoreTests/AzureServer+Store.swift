import HTTP
import ObjectStore
import TestSupport

extension AzureServer {
    /// Below a prefix of the test's own: what it finds there it wrote itself.
    nonisolated func store(
        prefix: String, credential: String? = nil, tier: String? = nil, client: HTTPClient = HTTPClient(HTTPSettings())
    ) throws -> AzureStore {
        try AzureStore(location(prefix), credential: credential ?? key, client, storageClass: tier)
    }
}
