import Foundation
import HTTP
import ObjectStore
import Recording
import Testing

@Suite("Azure shared key")
struct AzureSharedKeyTests {
    /// What Microsoft's client signs: see contrib/azure/vectors.py.
    struct Vector: Decodable {
        var name, account, key, method, path: String
        var query: [[String]]
        var headers: [[String]]
        var length: Int64
        var text, authorization: String

        var request: AzureRequest {
            AzureRequest(
                method, path, query: query.map { ($0[0], $0[1]) }, headers: headers.map { ($0[0], $0[1]) },
                body: .file("", offset: 0, count: length))
        }
    }

    @Test("signs what Microsoft's client signs, and as it does")
    func vectors() throws {
        let vectors = try JSONDecoder().decode(
            [Vector].self, from: Data(PackageResources.azure_shared_key_json))
        #expect(vectors.count > 10)
        for vector in vectors {
            let key = try #require(AzureSharedKey(account: vector.account, base64: vector.key))
            #expect(AzureSharedKey.text(of: vector.request, account: vector.account) == vector.text, "\(vector.name)")
            #expect(key.authorization(for: vector.request) == vector.authorization, "\(vector.name)")
        }
    }

    @Test(
        "what is no credential is refused without being shown, and only a key may go where anybody listens",
        arguments: [
            ("sv=1&sig=SECRET", "http"), ("managed-identity", "http"), ("c2hvcnQ=", "https"),
            ("AKID:SECRETSECRET", "https"), ("", "https"),
        ])
    func credentials(text: String, scheme: String) throws {
        let location = StoreLocation.AzureBlob(
            account: "plant", container: "cams", prefix: "", endpoint: "\(scheme)://127.0.0.1:1")
        let error = #expect(throws: ObjectStoreError.self) {
            try AzureStore(location, credential: text, HTTPClient(HTTPSettings()))
        }
        #expect(error?.scope == .store)
        #expect(error?.description.contains("SECRET") == false)
    }
}
