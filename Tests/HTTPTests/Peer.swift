import Foundation
import HTTP
import TestSupport

/// The server of `peer.py` with certificates of an authority of its own.
final class Peer: Sendable {
    let folder: String
    let child: ChildProcess
    private let ports: [String: Int]

    /// PEM.
    let authority: String

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "peer-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await Self.certify(in: folder)
        authority = try String(contentsOfFile: folder + "/authority.crt", encoding: .utf8)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "peer.py").path
        child = try ChildProcess("/usr/bin/python3", [script, folder])
        ports = try await child.output.first("ports") { line in
            try? JSONDecoder().decode([String: Int].self, from: Data(line.utf8))  // Other lines are none.
        }.found
    }

    deinit {
        child.signal(SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)  // A leftover in /tmp fails no test.
    }

    func port(_ listener: String) throws -> Int {
        guard let port = ports[listener] else { throw Missed("no listener \(listener)") }
        return port
    }

    func url(_ path: String, _ listener: String = "plain", host: String = "127.0.0.1") throws -> String {
        "\(listener == "plain" ? "http" : "https")://\(host):\(try port(listener))\(path)"
    }

    /// Lines of the server's that start so.
    func seen(_ start: String) -> [String] { child.output.lines.filter { $0.hasPrefix(start) } }

    private static func certify(in folder: String) async throws {
        let script = """
            set -e
            cd "$1"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout authority.key -out authority.crt \
                -days 2 -subj /CN=authority
            leaf() {
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj /CN=leaf
                printf 'subjectAltName=%s\\n' "$2" > "$1.ext"
                $3 openssl x509 -req -in "$1.csr" -CA authority.crt -CAkey authority.key -CAcreateserial -days 1 \
                    -extfile "$1.ext" -out "$1.crt"
                cat "$1.crt" "$1.key" > "$1.pem"
            }
            leaf good IP:127.0.0.1,DNS:storage.example
            leaf expired IP:127.0.0.1 'faketime -f -9d'
            leaf named DNS:elsewhere.example
            """
        let done = try await run("/bin/bash", ["-c", script, "certify", folder])
        guard done.ending == .exited(0) else { throw Missed("openssl: \(done.errors)") }
    }
}

/// Blocks a thread of its own, not one that the tests share.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result(catching: body)) }
    }
}

extension HTTPClient {
    /// A request on a thread of its own.
    func ask(_ request: HTTPRequest, bodyLimit: Int = 1 << 20) async throws -> HTTPResponse {
        try await blocking { try self.perform(request, bodyLimit: bodyLimit) }
    }

    func get(_ url: String, bodyLimit: Int = 1 << 20) async throws -> HTTPResponse {
        try await ask(HTTPRequest("GET", url), bodyLimit: bodyLimit)
    }
}
