import ArgumentParser
import Glibc
import JSON
import Messages

/// A verb that calls one direct method of a media graph.
protocol GraphVerb: Verb {
    /// What somebody at a terminal waits for; nil of what is answered at once.
    var wait: String? { get }
    func call() throws -> Admin.GraphCall
    /// Of an answer that is no error.
    func words(_ answer: GraphAnswer, for terminal: Terminal) -> String
}

extension GraphVerb {
    var wait: String? { nil }

    func perform(_ admin: AdminSession) async throws {
        let call = try call()
        if let wait, Terminal.errorsAreShown { Terminal.write("\(wait)\n", to: STDERR_FILENO) }
        // Activating and draining take what they take: with the store away, until it is back.
        let timeout = wait == nil ? AdminSession.patience : nil
        let reply = try await admin.ask("Graph", call, as: GraphReply.self, timeout: timeout)
        let answer = GraphAnswer(status: reply.status, payload: reply.payload ?? .null)
        if admin.printsJSON || answer.exit == .done {
            admin.show(answer) { words(answer, for: $0) }
        } else {
            Terminal.write(answer.complaint, to: STDERR_FILENO)
        }
        guard answer.exit == .done else { throw answer.exit }
    }
}

extension Admin.GraphCall {
    /// With the payload of a method that takes no more than a name, or not even that.
    static func of(_ method: String, _ name: String? = nil) -> Admin.GraphCall {
        var payload: [String: JSONValue] = ["@apiVersion": .string("2.0")]
        if let name { payload["name"] = .string(name) }
        return Admin.GraphCall(method: method, payload: .object(payload))
    }

    static func of(_ method: String, _ payload: JSONValue) -> Admin.GraphCall {
        Admin.GraphCall(method: method, payload: payload)
    }
}

/// What cvrd answered: printed as it is, or in words.
struct GraphAnswer {
    let status: Int64
    let payload: JSONValue

    var exit: ExitStatus {
        switch status {
        case 200..<300: .done
        case 404: .notFound
        case 409: .refused
        default: .failed
        }
    }

    var name: String { Terminal.plain(Self.text(payload["name"])) }

    /// As a file that `set` takes.
    var lines: String { JSONLines.of(payload) + "\n" }

    /// The error, and below it each mistake with its place, one a line.
    var complaint: String {
        let error = payload["error"] ?? .null
        let message = Self.text(error["message"])
        var lines = ["cvrctl: " + (message.isEmpty ? "cvrd answered \(status)." : sentence(message))]
        if case .array(let details)? = error["details"] {
            for detail in details {
                let target = Self.text(detail["target"])
                let words = "\(Self.text(detail["message"])) (\(Self.text(detail["code"])))"
                lines.append("  " + (target.isEmpty ? words : "\(target): \(words)"))
            }
        }
        return lines.map { Terminal.plain($0) + "\n" }.joined()
    }

    /// A row for each element of a list.
    func table(
        _ columns: [(title: String, path: [String], dispensability: Int)], whenEmpty: String, for terminal: Terminal
    ) -> String {
        guard case .array(let elements)? = payload["value"], !elements.isEmpty else { return whenEmpty }
        var table = Table(columns.map { Table.Column(title: $0.title, dispensability: $0.dispensability) })
        for element in elements {
            table.add(columns.map { column in Self.text(column.path.reduce(Optional(element)) { $0?[$1] }) })
        }
        return table.text(for: terminal)
    }

    private static func text(_ value: JSONValue?) -> String {
        if case .string(let text)? = value { text } else { "" }
    }
}
