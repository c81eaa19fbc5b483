import Foundation
package import Recording

/// A Blob service (`contrib/azure/server.py`) that verifies every signature by Microsoft's own code, and optionally the
/// token service of a machine or of Azure Arc.
package actor AzureServer {
    package enum Identity: String, Sendable {
        case machine = "imds"
        case arc
    }

    /// Started by the first who asks, in less than a second; its pages are short, so that lists have several.
    package static let shared = Task { try await AzureServer(page: 3) }
    package static let container = "cams"

    /// Scheme, host and port.
    package nonisolated let endpoint: String
    package nonisolated let account: String
    /// The account's key, base64.
    package nonisolated let key: String
    /// Of the token service.
    package nonisolated let identity: String?
    private nonisolated let certificate: Certificate?
    private let process: ChildProcess
    private var answered = 1

    /// Starts it and returns when it serves.
    ///
    /// A listing's page has at most `page` entries; Arc's secrets lie in the folder `secrets`.
    package init(
        page: Int = 5000, certificate: Certificate? = nil, identity: Identity? = nil, secrets: String = "",
        lifetime: Int = 86_400
    ) async throws {
        account = "plant\(UInt16.random(in: 0...9999))"
        key = Data((0..<64).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        var arguments = ["--account", "\(account):\(key)", "--container", Self.container, "--page", String(page)]
        if let certificate { arguments += ["--tls", "\(certificate.path):\(certificate.key)"] }
        if let identity {
            arguments += ["--identity", identity.rawValue, "--secrets", secrets, "--lifetime", String(lifetime)]
        }
        self.certificate = certificate
        let script = Repository.path("contrib/azure/server.py")
        process = try ChildProcess(try Self.python, [script] + arguments)
        let ready = try await process.output.first("the Azure server", within: .seconds(30)) { line in
            // Another line than the one looked for decodes to nothing.
            try? JSONDecoder().decode([String: [String: String]].self, from: Data(line.utf8))["ready"]
        }
        guard let url = ready.found["blob"], url.hasSuffix("/\(account)") else { throw Missed(process.errors.text) }
        endpoint = String(url.dropLast(account.count + 1))
        self.identity = ready.found["identity"]
    }

    /// The store in it below a prefix; a test that has one to itself disturbs no other.
    package nonisolated func location(_ prefix: String = "") -> StoreLocation.AzureBlob {
        StoreLocation.AzureBlob(account: account, container: Self.container, prefix: prefix, endpoint: endpoint)
    }

    /// Gives one of the commands that `server.py --help` lists and decodes its answer.
    @discardableResult
    package func tell(_ command: String) async throws -> [String: Int] {
        try process.send(command)
        let answer = try await process.output.first(from: answered, "an answer to '\(command)'") { $0 }
        answered = answer.index + 1
        let object = try JSONSerialization.jsonObject(with: Data(answer.found.utf8)) as? [String: Any] ?? [:]
        guard object["error"] == nil else { throw Missed(answer.found) }
        return object.compactMapValues { $0 as? Int }
    }

    /// What Microsoft's client makes of the container, by a command that `client.py --help` lists.
    package nonisolated func client(_ arguments: String...) async throws -> [String: Any] {
        let done = try await run(
            try Self.python,
            [Repository.path("contrib/azure/client.py"), "\(endpoint)/\(account)", key, Self.container] + arguments,
            environment: certificate.map { ["CVR_AZURE_CA": $0.path] } ?? [:])
        guard done.ending == .exited(0) else { throw Missed("client.py \(arguments): \(done.errors)") }
        return try JSONSerialization.jsonObject(with: done.output) as? [String: Any] ?? [:]
    }

    /// A query that lets whoever has it do what the letters say in the container, for an hour.
    package nonisolated func signature(_ permissions: String, _ name: String...) async throws -> String {
        let answer =
            name.isEmpty
            ? try await client("sas", permissions) : try await client("sas", permissions, name.joined())
        guard let query = answer["query"] as? String else { throw Missed("no SAS") }
        return query
    }

    package func stop() async {
        process.closeInput()
        await process.stop()
    }

    private static var python: String {
        get throws {
            guard let venv = ProcessInfo.processInfo.environment["CVR_TEST_VENV"] else {
                throw Missed("set CVR_TEST_VENV to a virtual environment with azure-storage-blob, as contrib/test does")
            }
            return venv + "/bin/python3"
        }
    }
}
