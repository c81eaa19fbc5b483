import Checksums
import Foundation
import HTTP
import ObjectStore
import Recording
import Synchronization
import TestSupport
import Testing

/// What is Azure's own; what every store owes is in the contract.
@Suite("Azure store")
final class AzureStoreTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "azure-\(UUID())").path
    let site: SiteName
    let camera: CameraName

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        site = try #require(SiteName("plant"))
        camera = try #require(CameraName("front"))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.

    func key(_ counter: Int64, asset: String = "front") throws -> ObjectKey {
        let start = WallTime(microseconds: 1_795_427_280_123_000) + .seconds(counter * 1800)
        return try #require(ObjectKey(site: site, asset: asset, start: start, counter: counter))
    }

    func file(_ bytes: [UInt8]) throws -> String {
        let path = folder + "/\(UUID()).mp4"
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    func metadata(_ checksum: UInt32) -> ObjectMetadata {
        ObjectMetadata(
            camera: camera, session: 3, duration: .milliseconds(30_016), codecs: "avc1.4d401f,mp4a.40.2",
            timescale: 90_000, checksum: checksum, seek: [(0, 900), (2000, 500_000)])
    }

    @Test("the test server does what Microsoft's client expects of the service")
    func server() async throws {
        let server = try await AzureServer(page: 9)
        #expect(try await server.client("check")["checked"] as? Int ?? 0 > 5)
        await server.stop()
    }

    @Test("an object is one write, and Microsoft's client and ffprobe read it")
    func readable() async throws {
        let server = try await AzureServer()
        let clips = try #require(
            ProcessInfo.processInfo.environment["CVR_CLIPS"], "set CVR_CLIPS, as contrib/test does")
        let names = try FileManager.default.contentsOfDirectory(atPath: clips).sorted()
        let clip = clips + "/" + (try #require(names.first { $0.hasPrefix("h264") && $0.hasSuffix(".mp4") }))
        let bytes = Array(try Data(contentsOf: URL(filePath: clip)))
        let key = try key(0)
        #expect(
            try server.store(prefix: "p", tier: "Cool").put(clip, as: key, metadata(CRC32C(bytes).value)) == .verified)
        #expect(try await server.tell("billed") == ["write": 1])
        let found = try await server.client("get", "p/\(key)")
        #expect(found["bytes"] as? Int == bytes.count)
        #expect(found["md5"] as? String == FileDigest.md5(bytes))
        #expect(found["type"] as? String == "video/mp4")
        #expect(found["tier"] as? String == "Cool")
        let fields = [
            "version": "1", "camera": "front", "session": "3", "duration": "30.016", "codecs": "avc1.4d401f,mp4a.40.2",
            "timescale": "90000", "crc32c": metadata(CRC32C(bytes).value).crc32c, "seek": "0-900,2000-500000",
        ]
        #expect(found["metadata"] as? [String: String] == fields)
        let query = try await server.signature("r", "p/\(key)")
        let url = "\(server.endpoint)/\(server.account)/\(AzureServer.container)/p/\(key)?\(query)"
        let probe = try await run(
            "/usr/bin/ffprobe", ["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", url])
        #expect(probe.text.contains("video"), "\(probe.errors)")
        await server.stop()
    }

    @Test("a SAS does over TLS what it permits, and says what is missing")
    func signature() async throws {
        let certificate = try await Certificate(in: folder)
        let server = try await AzureServer(certificate: certificate)
        let client = HTTPClient(HTTPSettings(certificateAuthority: certificate.authority))
        let all = try server.store(prefix: "p", credential: try await server.signature("rcwdl"), client: client)
        try all.prepare()
        let (path, checksum) = (try file([1, 2, 3]), CRC32C([1, 2, 3]).value)
        #expect(try all.put(path, as: key(0), metadata(checksum)) == .verified)
        #expect(try all.checksum(of: key(0)) == checksum)
        #expect(try all.delete([key(0)]).isEmpty)
        let reader = try server.store(prefix: "p", credential: try await server.signature("rl"), client: client)
        let error = #expect(throws: ObjectStoreError.self) { try reader.put(path, as: key(1), metadata(checksum)) }
        #expect(error?.nextStep.contains("right to") == true)
        await server.stop()
    }

    @Test("a wrong key, a container that is not there and a redirect are the store's fault, and say what to do")
    func refusals() async throws {
        let server = try await AzureServer()
        let stranger = try server.store(prefix: "p", credential: Data(repeating: 1, count: 64).base64EncodedString())
        var error = #expect(throws: ObjectStoreError.self) { try stranger.prepare() }
        #expect(error?.scope == .store && error?.nextStep.contains("credential") == true)
        var location = server.location()
        location.container = "no-such-container"
        let nowhere = try AzureStore(location, credential: server.key, HTTPClient(HTTPSettings()))
        error = #expect(throws: ObjectStoreError.self) { try nowhere.prepare() }
        #expect(error?.nextStep.contains("create the container") == true)
        #expect(error?.description.contains(server.key) == false)
        await server.stop()
    }

    @Test("a box whose clock is years off still signs what is believed")
    func clock() async throws {
        let server = try await AzureServer()
        let store = try AzureStore(
            server.location(), credential: server.key, HTTPClient(HTTPSettings()),
            clock: ServiceClock { WallTime(microseconds: 1_577_836_800_000_000) })
        for counter in 0..<2 as Range<Int64> {
            #expect(try store.put(file([1]), as: key(counter), metadata(CRC32C([1]).value)) == .verified)
        }
        #expect(try await server.tell("billed") == ["write": 2])
        await server.stop()
    }

    @Test("a listing goes on behind a key without listing all that is before it")
    func resumed() async throws {
        let server = try await AzureServer(page: 3)
        let store = try server.store(prefix: "p")
        let path = try file([7])
        for counter in 0..<60 as Range<Int64> { _ = try store.put(path, as: key(counter), metadata(CRC32C([7]).value)) }
        let before = try await server.tell("billed")["list"] ?? 0
        var found: [ObjectKey] = []
        try store.list("plant", after: key(55), skipped: { throw $0 }) { key, _ in found.append(key) }
        #expect(found == (try [56, 57, 58, 59].map { try key($0) }))
        // From the start there would be 20 pages.
        #expect(try await server.tell("billed")["list"] ?? 0 < before + 12)
        await server.stop()
    }

    @Test("what broke twice is sent in blocks, and none of them twice")
    func blocks() async throws {
        let server = try await AzureServer()
        let proxy = try await FaultProxy(of: server.endpoint)
        var location = server.location("blocks")
        location.endpoint = proxy.endpoint
        let sizes = AzureBlocks.Sizes(threshold: 64 << 10, block: 32 << 10)
        let told = Mutex<[BilledRequest]>([])
        let store = try AzureStore(
            location, credential: server.key, HTTPClient(HTTPSettings()), blocks: sizes,
            counting: { request in told.withLock { $0.append(request) } })
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        let (path, promise) = (try file(bytes), metadata(CRC32C(bytes).value))
        for _ in 0..<2 {
            try await proxy.meet(["PUT/cut-request:0.9", "PUT/cut-request:0.9"])
            #expect(throws: ObjectStoreError.self) { try store.put(path, as: key(0), promise) }
        }
        // Three blocks arrive, and then nothing more; a kept connection is tried once more by the client itself.
        try await proxy.meet(Array(repeating: "PUT/pass", count: 3) + ["PUT/cut-request:0.5", "PUT/cut-request:0.5"])
        #expect(throws: ObjectStoreError.self) { try store.put(path, as: key(0), promise) }
        try await proxy.meet([])
        #expect(try store.put(path, as: key(0), promise) == .verified)
        // Ten blocks and their list; what was cut on its way was told, too, with nothing stored.
        #expect(try await server.tell("billed")["write"] == 11)
        let requests = told.withLock { $0 }
        #expect(requests.allSatisfy { $0.kind == .segment })
        #expect(requests.count { $0.bytes > 0 } == 11 && requests.count { $0.bytes == 0 } == 3)
        #expect(try store.put(path, as: key(0), promise) == .exists)
        #expect(try store.compare(key(0), with: path, promise) == .equal)
        #expect(try store.checksum(of: key(0)) == promise.checksum)
        let others = bytes.map { $0 ^ 1 }
        #expect(try store.compare(key(0), with: file(others), metadata(CRC32C(others).value)) == .different)
        await proxy.stop()
        await server.stop()
    }

    @Test("a probe tells what the service does, by a document that stays as it is")
    func probe() async throws {
        let server = try await AzureServer()
        let store = try server.store(prefix: "p")
        let mark = try #require(DocumentKey(.mark, of: site))
        #expect(throws: ObjectStoreError.self) { try store.probe(mark) }
        #expect(try store.putDocument(Array("{}".utf8), as: mark, if: .absent))
        let version = try store.document(mark)?.version
        #expect(try store.probe(mark) == StoreCapabilities(putsIfAbsent: true, vouches: true, readsRanges: true))
        #expect(try store.document(mark)?.version == version)
        await server.stop()
    }
}
