import Checksums
import Foundation
import HTTP
import ObjectStore
import Recording
import TestSupport
import Testing

/// What is stored is plain for others: Amazon's own client and library, and ffprobe by a link that needs no key.
@Suite("S3 objects in others' hands", .enabled(if: OtherClients.areThere, "contrib/test --all installs aws and boto3"))
struct S3ReadersTests {
    @Test("aws s3 cp, boto3 and ffprobe read what was put, bytes and metadata", .timeLimit(.minutes(5)))
    func readers() async throws {
        let weed = try await SeaweedFS.shared.value
        let folder = FileManager.default.temporaryDirectory.appending(path: "readers-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        let file = "\(folder)/segment.mp4"
        let film = "testsrc=size=320x240:rate=10:duration=4"
        let made = try await run(
            "/usr/bin/ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", film, "-movflags", "frag_keyframe", "-f", "mp4", file])
        try #require(made.ending == .exited(0), "\(made.errors)")
        let bytes = try Data(contentsOf: URL(filePath: file))
        let metadata = ObjectMetadata(
            camera: try #require(CameraName("front")), session: 3, duration: .milliseconds(4016), codecs: "avc1.4d401f",
            timescale: 90_000, checksum: CRC32C(bytes).value, seek: [(0, 900), (2000, 500_000)])
        let prefix = "readers/\(UUID())"
        let key = try #require(ObjectKey("plant/front/2026-11-23/09/48-00.123Z.17.mp4"))
        #expect(try weed.store(prefix: prefix).put(file, as: key, metadata) == .verified)
        let clients = try OtherClients(weed)
        let object = "\(prefix)/\(key)"

        #expect(try await clients.aws(["s3", "cp", "s3://\(weed.bucket)/\(object)", "\(folder)/copy.mp4"]) != "")
        #expect(try Data(contentsOf: URL(filePath: "\(folder)/copy.mp4")) == bytes)
        let seen = try await clients.boto3(weed, object)
        #expect(seen.bytes == bytes.count)
        #expect(seen.metadata == Dictionary(uniqueKeysWithValues: metadata.fields.map { ($0.name, $0.value) }))
        let probed = try await run(
            "/usr/bin/ffprobe",
            ["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", seen.link])
        #expect(probed.text.trimmingCharacters(in: .whitespacesAndNewlines) == "40", "\(probed.errors)")
    }
}

/// Amazon's clients in the virtual environment of the tests.
private struct OtherClients {
    private static let folder = ProcessInfo.processInfo.environment["CVR_TEST_VENV"].map { $0 + "/bin" } ?? ""
    static var areThere: Bool { FileManager.default.isExecutableFile(atPath: folder + "/aws") }

    struct Seen: Decodable {
        var bytes: Int
        var metadata: [String: String]
        /// Good for a minute, for whoever has it.
        var link: String
    }

    private let environment: [String: String]

    init(_ weed: SeaweedFS) throws {
        let parts = weed.credential.split(separator: ":").map(String.init)
        environment = [
            "AWS_ACCESS_KEY_ID": parts[0], "AWS_SECRET_ACCESS_KEY": parts[1], "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": weed.endpoint, "AWS_CONFIG_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
        ]
    }

    func aws(_ arguments: [String]) async throws -> String {
        try await output(Self.folder + "/aws", arguments).text
    }

    func boto3(_ weed: SeaweedFS, _ object: String) async throws -> Seen {
        let script = """
            import boto3, json, sys
            place = {"Bucket": sys.argv[1], "Key": sys.argv[2]}
            client = boto3.client("s3")
            answer = client.get_object(**place)
            link = client.generate_presigned_url("get_object", Params=place, ExpiresIn=60)
            print(json.dumps({"bytes": len(answer["Body"].read()), "metadata": answer["Metadata"], "link": link}))
            """
        let done = try await output(Self.folder + "/python3", ["-c", script, weed.bucket, object])
        return try JSONDecoder().decode(Seen.self, from: done.output)
    }

    private func output(_ program: String, _ arguments: [String]) async throws -> Finished {
        let done = try await run(program, arguments, environment: environment)
        guard done.ending == .exited(0) else { throw Missed("\(program): \(done.errors)") }
        return done
    }
}
