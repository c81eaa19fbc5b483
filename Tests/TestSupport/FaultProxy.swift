import Foundation

/// A proxy in front of a store (`contrib/faultproxy/faultproxy.py`) that lets go wrong what a test says.
package actor FaultProxy {
    /// Scheme, host and port, as a client of the store uses them.
    package nonisolated let endpoint: String
    /// The same with TLS, by the certificate that was given.
    package nonisolated let secureEndpoint: String?
    private let process: ChildProcess
    private var answered = 1

    /// In front of `http://HOST:PORT`; returns when it serves.
    package init(of upstream: String, certificate: Certificate? = nil) async throws {
        let address = upstream.split(separator: "/").last.map { String($0) } ?? upstream
        let options = certificate.map { ["--certificate", "\($0.path):\($0.key)"] } ?? []
        process = try ChildProcess(
            "/usr/bin/python3", [Repository.path("contrib/faultproxy/faultproxy.py"), address] + options)
        let ready = try await process.output.first("the fault proxy") { line in
            // Another line than the one looked for decodes to nothing.
            try? JSONDecoder().decode([String: [String: String]].self, from: Data(line.utf8))["ready"]
        }
        guard let endpoint = ready.found["proxy"] else { throw Missed(process.errors.text) }
        self.endpoint = endpoint
        secureEndpoint = ready.found["secure"]
    }

    /// What happens to the next requests, in the words that `faultproxy.py --help` lists; none takes back what is left.
    package func meet(_ faults: [String]) async throws { _ = try await tell("faults " + faults.joined(separator: " ")) }

    /// Shows another certificate from now on, and breaks the connections that are there.
    package func present(_ certificate: Certificate) async throws {
        _ = try await tell("certificate \(certificate.path):\(certificate.key)")
    }

    /// `requests` that came, `elsewhere` those that followed a redirect, and `credentials` that these brought.
    package func seen() async throws -> [String: Int] { try await tell("seen") }

    package func stop() async {
        process.closeInput()
        await process.stop()
    }

    private func tell(_ command: String) async throws -> [String: Int] {
        try process.send(command)
        let answer = try await process.output.first(from: answered, "an answer to '\(command)'") { $0 }
        answered = answer.index + 1
        let object = try JSONSerialization.jsonObject(with: Data(answer.found.utf8)) as? [String: Any] ?? [:]
        guard object["error"] == nil else { throw Missed("\(answer.found)\n\(process.errors.text)") }
        return object.compactMapValues { $0 as? Int }
    }
}
