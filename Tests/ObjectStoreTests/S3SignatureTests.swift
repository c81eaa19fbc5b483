import Foundation
import ObjectStore
import Recording
import Testing

/// Signatures that others made.
@Suite("S3 signature")
struct S3SignatureTests {
    struct Vectors: Decodable {
        struct Vector: Decodable {
            var method: String
            var url: String
            var region: String
            var headers: [String: String]
            var token: String?
            var payload: String
            var authorization: String
        }

        var keyID: String
        var secret: String
        var time: String
        var vectors: [Vector]
    }

    @Test("signs as Amazon's own client does (vectors.py)")
    func botocore() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vectors.json")
        let vectors = try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
        #expect(vectors.vectors.count == 7)
        for vector in vectors.vectors {
            let token = vector.token.map { ":\($0)" } ?? ""
            let credential = try #require(S3Credential("\(vectors.keyID):\(vectors.secret)\(token)"))
            let signed = try sign(
                credential, vector.region, vector.method, vector.url, vector.headers, vector.payload, vectors.time)
            #expect(signed == vector.authorization, "\(vector.url)")
        }
    }

    /// "Authenticating Requests: Using the Authorization Header", Amazon S3 API reference.
    @Test(
        "signs the examples that Amazon published",
        arguments: [
            (
                "GET", "https://examplebucket.s3.amazonaws.com/test.txt", ["range": "bytes=0-9"], empty,
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            ),
            (
                "PUT", "https://examplebucket.s3.amazonaws.com/test%24file.text",
                ["date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"],
                "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
            ),
            (
                "GET", "https://examplebucket.s3.amazonaws.com/?lifecycle=", [:], empty,
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
            ),
            (
                "GET", "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", [:], empty,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
        ] as [(String, String, [String: String], String, String)])
    func published(method: String, url: String, headers: [String: String], payload: String, signature: String) throws {
        let credential = try #require(S3Credential("AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
        let signed = try sign(credential, "us-east-1", method, url, headers, payload, "2013-05-24T00:00:00Z")
        #expect(signed.hasSuffix("Signature=\(signature)"))
    }

    static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    private func sign(
        _ credential: S3Credential, _ region: String, _ method: String, _ url: String, _ headers: [String: String],
        _ payload: String, _ time: String
    ) throws -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let target = "/\(parts[3])".split(separator: "?", maxSplits: 1).map(String.init)
        let query = target.dropFirst().first?.split(separator: "&").map { item in
            let pair = item.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            return (name: pair[0], value: pair[1])
        }
        let headers = headers.map { (name: $0.key, value: $0.value) } + [(name: "host", value: String(parts[2]))]
        let added = S3Signature(credential, region: region).headers(
            method, path: target[0], query: query ?? [], headers: headers, payload: payload,
            at: try #require(WallTime(rfc3339: time)))
        return try #require(added.first { $0.name == "authorization" }?.value)
    }

    @Test("a credential is a key, its secret and perhaps a token, and shows none of them")
    func credential() throws {
        for text in ["", "AKID", "AKID:", ":SECRET", "AKID:SE CRET", "AKID:SECRET:", "AKID:SECRET\nX", "AKID:SECRÉT"] {
            #expect(S3Credential(text) == nil, "\(text)")
        }
        let credential = try #require(S3Credential("AKID:SECRET:TOKEN:MORE==\n"))
        var dumped = "\(credential) \(String(reflecting: credential))"
        dump(credential, to: &dumped)
        for part in ["AKID", "SECRET", "TOKEN"] { #expect(!dumped.contains(part)) }
    }
}
