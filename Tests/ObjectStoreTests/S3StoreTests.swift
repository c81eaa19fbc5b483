import Checksums
import Foundation
import HTTP
import ObjectStore
import Recording
import Synchronization
import TestSupport
import Testing

/// Against a server that checks every signature and every checksum.
@Suite("S3 store on SeaweedFS", .timeLimit(.minutes(5)))
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

    @Test("a wrong secret, an unknown key, a missing bucket and a missing permission are told apart")
    func credentials() async throws {
        let weed = try await SeaweedFS.shared.value
        func nextStep(_ store: S3Store) throws -> String {
            let error = #expect(throws: ObjectStoreError.self) { try store.prepare() }
            #expect(error?.scope == .store && error?.outlook == .lasting)
            return try #require(error).nextStep
        }
        #expect(try nextStep(weed.store(prefix: "p", credential: "AKIDCVR:wrong")).contains("secret"))
        #expect(try nextStep(weed.store(prefix: "p", credential: "NOBODY:secretcvr")).contains("access key"))
        #expect(try nextStep(store(weed, bucket: "no-such-bucket") { wallClock() }).contains("bucket"))
        let reader = try weed.store(prefix: "p", credential: weed.readOnlyCredential)
        try reader.prepare()
        let mark = try #require(DocumentKey("plant/.identity"))
        let error = #expect(throws: ObjectStoreError.self) { try reader.putDocument([1], as: mark, if: .always) }
        #expect(error?.nextStep.contains("allow") == true)
    }

    @Test(
        "a box whose clock is an hour or years off still signs what is believed, and each request once",
        arguments: [3600, -3600, 200_000_000])
    func clock(seconds: Int64) async throws {
        let weed = try await SeaweedFS.shared.value
        let bucket = try weed.makeBucket("clock-\(UInt32.random(in: 0...UInt32.max))")
        let told = Mutex(0)
        let store = S3Store(
            StoreLocation.S3(bucket: bucket, prefix: "", endpoint: weed.endpoint, region: "us-east-1"),
            try #require(S3Credential(weed.credential)), HTTPClient(HTTPSettings()),
            clock: { wallClock() - .seconds(seconds) }, counting: { _ in told.withLock { $0 += 1 } })
        try store.prepare()
        let mark = try #require(DocumentKey("plant/.identity"))
        for _ in 0..<3 { #expect(try store.putDocument([1], as: mark, if: .always)) }
        let (asked, counted) = (told.withLock { $0 }, try await weed.requests(of: bucket))
        #expect(asked == 3 && counted["PUT"] == 3, "\(counted)")
    }

    @Test("over TLS a body needs no signature, and is verified all the same; an authority that is not known is refused")
    func secure() async throws {
        let weed = try await SeaweedFS.shared.value
        let location = StoreLocation.S3(
            bucket: weed.bucket, prefix: "tls/\(UUID())", endpoint: weed.secureEndpoint, region: "us-east-1")
        let credential = try #require(S3Credential(weed.credential))
        func opened(_ settings: HTTPSettings) -> S3Store {
            S3Store(location, credential, HTTPClient(settings), clock: wallClock)
        }
        // Each part of a body has to wait once.
        let turn = Mutex(0)
        let store = opened(
            HTTPSettings(
                certificateAuthority: weed.authority,
                pace: { _ in
                    turn.withLock { turn in
                        turn += 1
                        return turn.isMultiple(of: 2) ? .zero : .milliseconds(5)
                    }
                }))
        try store.prepare()
        let file = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }  // A leftover in /tmp fails no test.
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 >> 8) }
        try Data(bytes).write(to: file)
        let key = try #require(ObjectKey("plant/front/2026-11-23/09/48-00.123Z.17.mp4"))
        let metadata = ObjectMetadata(
            camera: try #require(CameraName("front")), session: 3, duration: .seconds(30), codecs: "avc1.4d401f",
            timescale: 90_000, checksum: CRC32C(bytes).value, seek: [])
        #expect(try store.put(file.path, as: key, metadata) == .verified)
        #expect(try store.put(file.path, as: key, metadata) == .exists)
        #expect(try store.compare(key, with: file.path, metadata) == .equal)
        #expect(try store.read(key, offset: 2_999_999, count: 9) == [bytes[2_999_999]])
        let error = #expect(throws: ObjectStoreError.self) { try opened(HTTPSettings()).prepare() }
        #expect(error?.nextStep.contains("certificateAuthority") == true && error?.outlook == .lasting)
    }

    private func store(
        _ weed: SeaweedFS, bucket: String, clock: @escaping @Sendable () -> WallTime
    ) throws -> S3Store {
        S3Store(
            StoreLocation.S3(bucket: bucket, prefix: "", endpoint: weed.endpoint, region: "us-east-1"),
            try #require(S3Credential(weed.credential)), HTTPClient(HTTPSettings()), clock: clock)
    }
}
