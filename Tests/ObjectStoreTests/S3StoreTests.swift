import Foundation
import HTTP
import ObjectStore
import Recording
import TestSupport
import Testing

/// Against a server that checks every signature and every checksum.
@Suite("S3 store on SeaweedFS", .timeLimit(.minutes(1)))
struct S3StoreTests {
    @Test("SeaweedFS can do all that is asked for, and finding that out changes nothing")
    func probe() async throws {
        let store = try await SeaweedFS.shared.value.store(prefix: "probe/\(UUID())")
        let mark = try #require(DocumentKey("plant/.identity"))
        #expect(throws: ObjectStoreError.self) { try store.probe(mark) }
        #expect(try store.putDocument(Array("one of a kind".utf8), as: mark, if: .absent))
        let before = try store.document(mark)
        #expect(try store.probe(mark) == StoreCapabilities(putsIfAbsent: true, vouches: true, readsRanges: true))
        #expect(try store.document(mark) == before)
    }

    @Test("a wrong secret, an unknown key, a missing bucket, a wrong clock and a missing permission are told apart")
    func credentials() async throws {
        let weed = try await SeaweedFS.shared.value
        func nextStep(_ store: S3Store) throws -> String {
            let error = #expect(throws: ObjectStoreError.self) { try store.prepare() }
            #expect(error?.scope == .store && error?.outlook == .lasting)
            return try #require(error).nextStep
        }
        #expect(try nextStep(weed.store(prefix: "p", credential: "AKIDCVR:wrong")).contains("secret"))
        #expect(try nextStep(weed.store(prefix: "p", credential: "NOBODY:secretcvr")).contains("access key"))
        let late = try store(weed, bucket: weed.bucket) { wallClock() - .seconds(3600) }
        #expect(try nextStep(late).contains("clock"))
        #expect(try nextStep(store(weed, bucket: "no-such-bucket") { wallClock() }).contains("bucket"))
        let reader = try weed.store(prefix: "p", credential: weed.readOnlyCredential)
        try reader.prepare()
        let mark = try #require(DocumentKey("plant/.identity"))
        let error = #expect(throws: ObjectStoreError.self) { try reader.putDocument([1], as: mark, if: .always) }
        #expect(error?.nextStep.contains("allow") == true)
    }

    private func store(
        _ weed: SeaweedFS, bucket: String, clock: @escaping @Sendable () -> WallTime
    ) throws -> S3Store {
        S3Store(
            StoreLocation.S3(bucket: bucket, prefix: "", endpoint: weed.endpoint, region: "us-east-1"),
            try #require(S3Credential(weed.credential)), HTTPClient(HTTPSettings()), clock: clock)
    }
}
