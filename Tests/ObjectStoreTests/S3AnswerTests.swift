import Checksums
import Foundation
import HTTP
import ObjectStore
import Recording
import TestSupport
import Testing

/// What a store makes of answers that no healthy server gives.
@Suite("S3 answers", .timeLimit(.minutes(1)))
final class S3AnswerTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "answers-\(UUID())").path
    let file: String
    let key: ObjectKey
    let metadata: ObjectMetadata

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        file = folder + "/segment.mp4"
        try Data([1, 2, 3]).write(to: URL(filePath: file))
        key = try #require(ObjectKey("plant/front/2026-11-23/09/48-00.123Z.17.mp4"))
        metadata = ObjectMetadata(
            camera: try #require(CameraName("front")), session: 3, duration: .seconds(30), codecs: "avc1.4d401f",
            timescale: 90_000, checksum: CRC32C([1, 2, 3]).value, seek: [])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.

    struct Answer: Codable, Sendable {
        var status: Int
        var headers: [String: String] = [:]
        var body = ""
    }

    /// A server, a store on it, and what was asked.
    final class Bed {
        let store: S3Store
        let server: ChildProcess

        init(_ answers: [Answer]) async throws {
            let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "answers.py").path
            server = try ChildProcess("/usr/bin/python3", [script])
            let port = try await server.output.first("port") { Int($0) }.found
            for answer in answers { try server.send(String(decoding: JSONEncoder().encode(answer), as: UTF8.self)) }
            let location = StoreLocation.S3(
                bucket: "cam", prefix: "", endpoint: "http://127.0.0.1:\(port)", region: "us-east-1")
            let credential = try #require(S3Credential("AKIDEXAMPLE:SECRET"))
            store = S3Store(location, credential, HTTPClient(HTTPSettings()), clock: wallClock)
        }

        deinit { server.signal(SIGKILL) }

        /// All, once there are so many: the server tells of each before it answers.
        func requests(_ count: Int) async throws -> [String] {
            _ = try await server.output.first(from: count, "request \(count)") { _ in true }
            return Array(server.output.lines.dropFirst())
        }
    }

    static func error(_ status: Int, _ code: String, _ headers: [String: String] = [:]) -> Answer {
        Answer(
            status: status, headers: headers,
            body: "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>SECRET AKIDEXAMPLE</Message></Error>")
    }

    func failure(_ answers: [Answer]) async throws -> ObjectStoreError {
        let bed = try await Bed(answers)
        let error = #expect(throws: ObjectStoreError.self) { try bed.store.put(file, as: key, metadata) }
        let found = try #require(error)
        #expect(!"\(found)".contains("SECRET") && !"\(found)".contains("AKIDEXAMPLE"))
        return found
    }

    @Test(
        "each refusal says whose it is and what to do",
        arguments: [
            (error(403, "RequestTimeTooSkewed"), "clock", .lasting),
            (error(403, "SignatureDoesNotMatch"), "secret", .lasting),
            (error(403, "InvalidAccessKeyId"), "access key", .lasting), (error(403, "AccessDenied"), "allow", .lasting),
            (error(400, "ExpiredToken"), "session token", .lasting), (error(404, "NoSuchBucket"), "bucket", .lasting),
            (error(301, "PermanentRedirect", ["Location": "http://127.0.0.1:1/"]), "region=", .lasting),
            (error(307, "TemporaryRedirect", ["Location": "http://127.0.0.1:1/"]), "region=", .lasting),
            (error(400, "AuthorizationHeaderMalformed"), "region=", .lasting),
            (error(400, "InvalidStorageClass"), "storageClass", .lasting),
            (error(400, "BadDigest"), "retried", .passing),
            (error(409, "ConditionalRequestConflict"), "retried", .passing),
            (error(500, "InternalError"), "retried", .passing),
            (Answer(status: 502, body: "<html>Bad Gateway</html>"), "retried", .passing),
            (Answer(status: 507), "free space", .lasting),
            (Answer(status: 403, body: "<html>"), "credential", .lasting),
            (Answer(status: 404, body: "<html>"), "store.url", .lasting),
        ] as [(Answer, String, ObjectStoreError.Outlook)])
    func refusals(answer: Answer, nextStep: String, outlook: ObjectStoreError.Outlook) async throws {
        let error = try await failure([answer])
        #expect(error.scope == .store && error.outlook == outlook && error.retryAfter == nil)
        #expect(error.nextStep.contains(nextStep), "\(error)")
    }

    @Test("who asks for patience gets it, within bounds")
    func throttle() async throws {
        let asked: [(Answer, Int64)] = [
            (Self.error(503, "SlowDown", ["Retry-After": "7"]), 7), (Self.error(429, "TooManyRequests"), 1),
            (Self.error(503, "SlowDown", ["Retry-After": "86400"]), 300),
            (Self.error(503, "SlowDown", ["Retry-After": "-5"]), 1),
            (Self.error(503, "SlowDown", ["Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"]), 1),
            (
                Self.error(
                    503, "SlowDown",
                    ["Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:27:18 GMT"]), 42
            ),
            (
                Self.error(
                    503, "SlowDown",
                    ["Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 09:00:00 GMT"]), 1
            ),
        ]
        for (answer, seconds) in asked {
            let error = try await failure([answer])
            #expect(error.retryAfter == .seconds(seconds) && error.scope == .store && error.outlook == .passing)
        }
    }

    @Test("bytes that changed in the cache are told from those that were damaged on the way")
    func digest() async throws {
        try Data([9, 9, 9]).write(to: URL(filePath: file))
        #expect(try await failure([Self.error(400, "BadDigest")]).scope == .object)
    }

    @Test("a success that no S3 gives is none: a login page, an answer without its mark, other bytes than were sent")
    func strangers() async throws {
        let page = Answer(status: 200, headers: ["Content-Type": "text/html"], body: "<html>Please log in</html>")
        #expect(try await failure([page]).detail.contains("no S3"))
        let wrong = Answer(status: 200, headers: ["ETag": "\"x\"", "x-amz-checksum-crc32c": "AAAAAA=="])
        #expect(try await failure([wrong]).scope == .store)
        let bed = try await Bed([page])
        let document = try #require(DocumentKey("plant/.identity"))
        #expect(throws: ObjectStoreError.self) { try bed.store.document(document) }
        #expect(throws: ObjectStoreError.self) { try bed.store.head(key) }
        #expect(throws: ObjectStoreError.self) { try bed.store.read(key, offset: 0, count: 5) }
        #expect(throws: ObjectStoreError.self) { try bed.store.delete([key]) }
        #expect(throws: ObjectStoreError.self) { try bed.store.documents(in: "plant") }
        #expect(throws: ObjectStoreError.self) { try bed.store.putDocument([1], as: document, if: .absent) }
    }

    @Test("that something is gone is believed of S3 alone")
    func gone() async throws {
        let portal = try await Bed([Answer(status: 404, body: "<html>no such page</html>")])
        #expect(throws: ObjectStoreError.self) { try portal.store.head(key) }
        #expect(try await portal.requests(2).map { $0.prefix(4) } == ["HEAD", "GET "])
        let garage = try await Bed([Self.error(404, "NoSuchKey")])
        #expect(try garage.store.head(key) == nil)
        let aws = try await Bed([Answer(status: 404, headers: ["x-amz-request-id": "1"])])
        #expect(try aws.store.head(key) == nil)
        #expect(try await aws.requests(1).count == 1)
        let noBucket = try await Bed([Self.error(404, "NoSuchBucket")])
        #expect(throws: ObjectStoreError.self) { try noBucket.store.head(key) }
    }

    @Test("half a listing, one without end and one that goes in circles are refused")
    func listings() async throws {
        let entry = "<Contents><Key>plant/front/2026-11-23/09/48-00.123Z.17.mp4</Key><Size>3</Size></Contents>"
        func list(_ bodies: [String]) async throws -> Int {
            let bed = try await Bed(
                bodies.map { Answer(status: 200, body: "<ListBucketResult>\($0)</ListBucketResult>") })
            var count = 0
            try bed.store.list("plant", after: nil, skipped: { Issue.record("\($0)") }) { _, _ in count += 1 }
            return count
        }
        let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken>"
        let (other, next) = (entry.replacing("48-00", with: "49-00"), more.replacing(">a<", with: ">b<"))
        let last = "<IsTruncated>false</IsTruncated>"
        #expect(try await list([entry + more, entry + last]) == 2)
        for bodies in [
            [entry], [entry + "<IsTruncated>true</IsTruncated>"], [entry + more, entry + more],
            [entry + more, other + next, entry + more], [entry + more, entry + next],
            ["<Contents><Key>a</Key></Contents>" + last],
        ] {
            await #expect(throws: ObjectStoreError.self) { _ = try await list(bodies) }
        }
    }

    @Test("what cannot be deleted is told with its reason; a store that knows no batches is asked one by one")
    func deletions() async throws {
        let body =
            "<DeleteResult><Error><Key>\(key.text)</Key><Code>AccessDenied</Code><Message>SECRET</Message></Error></DeleteResult>"
        let batch = try await Bed([Answer(status: 200, body: body)])
        let refused = try batch.store.delete([key])
        #expect(refused.keys.map(\.text) == [key.text] && refused[key]?.scope == .object)
        let single = try await Bed([Self.error(501, "NotImplemented"), Answer(status: 204)])
        #expect(try single.store.delete([key, key]).isEmpty)
        #expect(try await single.requests(3).map { $0.prefix(6) } == ["POST /", "DELETE", "DELETE"])
    }

    @Test("a store that ignores ranges is found out, and objects of any length are read from it all the same")
    func whole() async throws {
        let text = String(repeating: "0123456789", count: 300_000)
        try Data(text.utf8).write(to: URL(filePath: file))
        let (object, mark) = (Answer(status: 200, headers: ["ETag": "\"x\""], body: text), #"{"store": "a"}"#)
        let head = Answer(status: 200, headers: ["ETag": "\"x\"", "Content-Length": "3000000"])
        let document = Answer(status: 200, headers: ["ETag": "\"x\""], body: mark)
        let bed = try await Bed([document, Answer(status: 412), document, head, head, object, object, head, object])
        let found = try bed.store.probe(try #require(DocumentKey("plant/.identity")))
        #expect(found == StoreCapabilities(putsIfAbsent: true, vouches: false, readsRanges: false))
        var promise = metadata
        promise.crc32c = String(CRC32C(Array(text.utf8)).value, radix: 16)
        promise.crc32c = String(repeating: "0", count: 8 - promise.crc32c.count) + promise.crc32c
        #expect(try bed.store.compare(key, with: file, promise) == .equal)
        #expect(try bed.store.read(key, offset: 1_999_995, count: 7) == Array("5678901".utf8))
        #expect(try bed.store.checksum(of: key) == promise.checksum)
        #expect(try bed.store.read(key, offset: 2_999_998, count: 100) == Array("89".utf8))
    }

    @Test("another part of an object than was asked for is none, and what is longer than it says is not read for ever")
    func parts() async throws {
        let head = Answer(status: 200, headers: ["ETag": "\"x\"", "Content-Length": "3"])
        let part = Answer(status: 206, headers: ["Content-Range": "bytes 0-2/3"], body: "abc")
        let bed = try await Bed([head, part])
        #expect(try bed.store.checksum(of: key) == CRC32C(Array("abc".utf8)).value)
        #expect(throws: ObjectStoreError.self) { try bed.store.read(key, offset: 1, count: 3) }
        let empty = try await Bed([head, Answer(status: 206, headers: ["Content-Range": "bytes 0-2/3"])])
        #expect(throws: ObjectStoreError.self) { try empty.store.checksum(of: key) }
    }

    @Test("a wrong clock is set right by the store's own word, and what it refused is asked once more")
    func clock() async throws {
        let stored = Answer(status: 200, headers: ["ETag": "\"x\""])
        let date = "Wed, 21 Oct 2026 07:28:00 GMT"
        let bed = try await Bed([Self.error(403, "RequestTimeTooSkewed", ["Date": date]), stored, stored])
        #expect(try bed.store.put(file, as: key, metadata) == .stored)
        #expect(try bed.store.put(file, as: key, metadata) == .stored)
        #expect(try await bed.requests(3).count == 3)
        // Said once, it is known; said again, somebody has to look.
        let again = try await Bed([Self.error(403, "RequestTimeTooSkewed", ["Date": date])])
        #expect(throws: ObjectStoreError.self) { try again.store.put(file, as: key, metadata) }
        #expect(try await again.requests(2).count == 2)
    }

    @Test("a conflict with another write is tried again at once")
    func conflict() async throws {
        let stored = Answer(status: 200, headers: ["ETag": "\"x\""])
        let bed = try await Bed([Self.error(409, "ConditionalRequestConflict"), stored])
        #expect(try bed.store.put(file, as: key, metadata) == .stored)
        #expect(try await bed.requests(2).count == 2)
    }
}
