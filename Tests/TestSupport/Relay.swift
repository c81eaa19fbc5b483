import Foundation

/// The way to a server (`contrib/relay/relay.py`): closed at first, and what was sent over it is counted.
package actor Relay {
    package struct Sent: Codable, Sendable {
        package var bytes: Int64
        /// Of a clock that only goes forward.
        package var microseconds: Int64
    }

    /// Scheme, host and port.
    package nonisolated let endpoint: String
    private let process: ChildProcess
    private var answered = 1

    /// To `http://HOST:PORT`; connections are refused until it is opened.
    package init(to upstream: String) async throws {
        let address = upstream.split(separator: "/").last.map { String($0) } ?? upstream
        process = try ChildProcess("/usr/bin/python3", [Repository.path("contrib/relay/relay.py"), address])
        let ready = try await process.output.first("the relay") { line in
            // Another line than the one looked for decodes to nothing.
            try? JSONDecoder().decode([String: [String: String]].self, from: Data(line.utf8))["ready"]
        }
        guard let endpoint = ready.found["relay"] else { throw Missed(process.errors.text) }
        self.endpoint = endpoint
    }

    package func open() async throws { _ = try await tell("open") }

    /// By clients, so far.
    package func sent() async throws -> Sent {
        try JSONDecoder().decode(Sent.self, from: Data(try await tell("sent").utf8))
    }

    package func stop() async {
        process.closeInput()
        await process.stop()
    }

    private func tell(_ command: String) async throws -> String {
        try process.send(command)
        let answer = try await process.output.first(from: answered, "an answer to '\(command)'") { $0 }
        answered = answer.index + 1
        return answer.found
    }
}
