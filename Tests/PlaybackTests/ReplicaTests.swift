import Foundation
import HTTP
import TestSupport
import Testing

/// The real cvr-playback, by itself, over a store in a folder.
@Suite("Playback: replica", .timeLimit(.minutes(2)))
struct ReplicaTests {
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cvr-replica-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder + "/store/plant-7", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // left behind in /tmp it fails no test
        try await body(folder)
    }

    private func arguments(_ folder: String, listen: String = "127.0.0.1:0", _ more: [String] = []) -> [String] {
        ["--store", "file://\(folder)/store/plant-7", "--listen", listen] + more
    }

    /// Runs it until `body` returns; with the port that it got, as its log names it.
    private func serving(_ arguments: [String], _ body: (ChildProcess, String) async throws -> Void) async throws {
        let process = try ChildProcess("\(Repository.binaries)/cvr-playback", arguments)
        do {
            let line = try await eventually("it serves", every: .milliseconds(50)) {
                guard process.isRunning else { throw Missed(process.errors.text) }
                return process.errors.lines.first { $0.contains("serving plant-7 at ") }
            }
            try await body(process, String(line.split(separator: " ").last ?? ""))
            process.signal(SIGTERM)
            let ending = try await process.end()
            #expect(ending == .exited(0), "\(process.errors.text)")
        } catch {
            await process.stop()
            throw error
        }
    }

    private func get(_ url: String, trusting authority: String? = nil, account: String? = nil) throws -> HTTPResponse {
        let client = HTTPClient(HTTPSettings(certificateAuthority: authority))
        let basic = account.map { [("authorization", "Basic " + Data($0.utf8).base64EncodedString())] } ?? []
        return try client.perform(HTTPRequest("GET", url, headers: basic), bodyLimit: 1 << 20)
    }

    private func write(_ text: String, to path: String, mode: Int = 0o600) throws -> String {
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        else { throw Missed("\(path) cannot be written") }
        return path
    }

    @Test("serves a store that has nothing yet, shut in, and ends as told")
    func alone() async throws {
        try await withFolder { folder in
            try await serving(arguments(folder)) { process, address in
                #expect(try get("http://\(address)/healthz").status == 200)
                let cameras = try get("http://\(address)/cameras")
                #expect(cameras.status == 200 && String(decoding: cameras.body, as: UTF8.self) == "{\"cameras\":[]}")
                let metrics = try get("http://\(address)/metrics")
                let text = String(decoding: metrics.body, as: UTF8.self)
                #expect(!text.contains("cvr_supervisor_up") && text.contains("site=\"plant-7\""))
                let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
                #expect(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"))
                #expect(!process.errors.text.contains("confined less"))
            }
        }
    }

    @Test("serves any number beside each other, each with accounts over TLS")
    func beyondLoopback() async throws {
        try await withFolder { folder in
            let certificate = try await Certificate(in: folder)
            _ = try write(try String(contentsOfFile: certificate.key, encoding: .utf8), to: folder + "/key")
            let access = try write(
                "{\"accounts\": {\"guard\": {\"password\": \"s3cret-canary\", \"cameras\": [\"front\"]}}}",
                to: folder + "/access")
            let more = ["--tls-certificate", certificate.path, "--tls-key", folder + "/key", "--access", access]
            let everywhere = arguments(folder, listen: "0.0.0.0:0", more)
            try await serving(everywhere) { _, first in
                try await serving(everywhere) { process, second in
                    for address in [first, second] {
                        let url = "https://" + address.replacing("0.0.0.0", with: "127.0.0.1")
                        #expect(try get(url + "/healthz", trusting: certificate.authority).status == 200)
                        #expect(try get(url + "/metrics", trusting: certificate.authority).status == 401)
                        let guarded = try get(
                            url + "/metrics", trusting: certificate.authority, account: "guard:s3cret-canary")
                        #expect(guarded.status == 403, "an account of one camera may not see the box")
                    }
                    let said = try Data(contentsOf: URL(filePath: "/proc/\(process.pid)/cmdline"))
                    #expect(said.range(of: Data("s3cret-canary".utf8)) == nil)
                    #expect(!process.errors.text.contains("s3cret-canary"))
                }
            }
        }
    }

    @Test("refuses what would be open to other hosts, files that others may read, and keys that it does not know")
    func refusals() async throws {
        try await withFolder { folder in
            let certificate = try await Certificate(in: folder)
            let pair = { ["--tls-certificate", $0, "--tls-key", $1] }
            let tls = pair(certificate.path, certificate.key)
            let open = try write("{\"accounts\": {\"a\": {\"password\": \"p\"}}}", to: folder + "/open", mode: 0o644)
            let misspelt = try write(
                "{\"accounts\": {\"a\": {\"password\": \"p4ss\", \"camera\": []}}}", to: folder + "/misspelt")
            let named = try write("{\"proxies\": [\"proxy.example\"]}", to: folder + "/named")
            let path = try write("{\"allowOrigins\": [\"https://h/x\"]}", to: folder + "/path")
            try FileManager.default.createDirectory(atPath: folder + "/other", withIntermediateDirectories: false)
            let other = try await Certificate(in: folder + "/other")
            for (more, listen, code, word) in [
                (pair(misspelt, certificate.key), "127.0.0.1:0", 78, "the certificate cannot be used"),
                (pair(certificate.path, misspelt), "127.0.0.1:0", 78, "the certificate's key cannot be used"),
                (pair(certificate.path, other.key), "127.0.0.1:0", 78, "own private key"),
                ([], "0.0.0.0:0", 78, "nothing is encrypted"), (tls, "0.0.0.0:0", 78, "everybody there may watch"),
                (["--access", open], "127.0.0.1:0", 74, "chmod 600"),
                (["--access", misspelt], "127.0.0.1:0", 78, "accounts.a.camera"),
                (["--access", named], "127.0.0.1:0", 78, "proxies: proxy.example"),
                (["--access", path], "127.0.0.1:0", 78, "allowOrigins: https://h/x"),
                (["--access", folder + "/none"], "127.0.0.1:0", 74, "cannot be read"),
                (["--quiet", "1"], "127.0.0.1:0", 64, "usage:"),
            ] as [([String], String, Int32, String)] {
                let done = try await run(
                    "\(Repository.binaries)/cvr-playback", arguments(folder, listen: listen, more))
                #expect(done.ending == .exited(code), "\(more) \(listen): \(done.errors)")
                #expect(done.errors.contains(word) && !done.errors.contains("p4ss"), "\(done.errors)")
            }
            try await credentials(folder, misspelt)
            try await serving(arguments(folder)) { _, address in
                let second = try await run(
                    "\(Repository.binaries)/cvr-playback", arguments(folder, listen: address))
                #expect(second.ending == .exited(69) && second.errors.contains("ss -ltnp"), "\(second.errors)")
            }
        }
    }

    /// A store that wants to know who asks.
    private func credentials(_ folder: String, _ misspelt: String) async throws {
        let service = ["--store", "s3://bucket/boxes/plant-7?region=eu-central-1", "--listen", "127.0.0.1:0"]
        for (credential, code, word) in [
            ([], 78, "there is no credential"), (["--credential", misspelt], 78, "ACCESS_KEY_ID:SECRET"),
            (["--credential", folder + "/none"], 74, "put it there"),
        ] as [([String], Int32, String)] {
            let done = try await run("\(Repository.binaries)/cvr-playback", service + credential)
            #expect(done.ending == .exited(code) && done.errors.contains(word), "\(done.errors)")
        }
    }
}
