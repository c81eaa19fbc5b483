import FoundationEssentials
import HTTP
import Messages
import Recording

/// Talks to cvr-playback, which may run on any host; everything it answers is outside data.
struct PlaybackSession {
    /// Who asks (RFC 7617, RFC 6750).
    enum Visitor {
        case account(String, password: Secret)
        case token(Secret)

        /// The value of `Authorization`.
        fileprivate var authorization: String {
            switch self {
            case .account(let name, let password):
                "Basic " + Data("\(name):\(password.revealed())".utf8).base64EncodedString()
            case .token(let token): "Bearer " + token.revealed()
            }
        }
    }

    /// Scheme, host and port, and the path below which a proxy has the server; without a slash at the end.
    let address: String
    private let client: HTTPClient
    private let visitor: Visitor?

    /// Answers other than media are this long at most: an export of 31 days in segments of 2 s.
    private static let answerLimit = 512 << 20

    /// `authority`: the certificates to believe, PEM; nil for the system's.
    ///
    /// A secret goes nowhere that the network in between could read it.
    init(_ address: String, as visitor: Visitor? = nil, authority: String? = nil) throws {
        let trimmed = address.hasSuffix("/") ? String(address.dropLast()) : address
        guard let host = Self.host(of: trimmed) else {
            throw Complaint(
                .usage, code: "usage", message: "'\(Terminal.plain(address))' is no address of a server",
                nextStep: "Give --url as http://HOST:PORT or https://HOST:PORT, with a path where a proxy has one")
        }
        guard visitor == nil || trimmed.hasPrefix("https://") || Self.isLoopback(host) else {
            throw Complaint(
                .usage, code: "usage", message: "\(Terminal.plain(trimmed)) would be sent a secret without TLS",
                nextStep: "Give --url as https://HOST:PORT")
        }
        self.address = trimmed
        self.visitor = visitor
        client = HTTPClient(HTTPSettings(certificateAuthority: authority, connections: 1))
    }

    /// Host and port; nil for what is no server's address (RFC 3986 §3, without a user, a query and steps up).
    private static func host(of address: String) -> Substring? {
        guard let scheme = ["http://", "https://"].first(where: { address.hasPrefix($0) }) else { return nil }
        let rest = address.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" }
        let steps = rest.dropFirst(host.count).dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let isPath = host.count == rest.count || !steps.contains { ["", ".", ".."].contains($0) }
        return host.isEmpty || !isPath || rest.contains { "?#@\\ ".contains($0) } ? nil : host
    }

    private static func isLoopback(_ authority: Substring) -> Bool {
        let isIPv6 = authority.hasPrefix("[")
        let host = isIPv6 ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        return ["127.0.0.1", "localhost", "::1"].contains(host)
    }

    func get<R: Decodable>(_ path: String, as answer: R.Type) throws -> R {
        let response = try perform(path, [], bodyLimit: Self.answerLimit)
        guard response.status == 200 else { throw refusal(response) }
        do {
            return try JSONDecoder().decode(answer, from: Data(response.body))
        } catch {
            throw notUnderstood()
        }
    }

    /// The bytes `range` of a file, as long as it is the version that `tag` names.
    func bytes(_ path: String, _ range: Range<Int64>, tag: String) throws -> [UInt8] {
        let count = Int(range.upperBound - range.lowerBound)
        let wanted = [("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"), ("If-Range", tag)]
        // A whole file in place of a part is another version, and may be of any length.
        let response = try perform(path, wanted, bodyLimit: max(count, 1 << 20))
        guard response.status == 206 || response.status == 200 else { throw refusal(response) }
        guard response.status == 206, response["ETag"] == tag else { throw Self.changed }
        guard response.body.count == count else { throw notUnderstood() }
        return response.body
    }

    private func perform(_ path: String, _ headers: [(String, String)], bodyLimit: Int) throws -> HTTPResponse {
        let own = visitor.map { [("Authorization", $0.authorization)] } ?? []
        let request = HTTPRequest(
            "GET", address + path, headers: (headers + own).map { (name: $0.0, value: $0.1) })
        do {
            return try client.perform(request, bodyLimit: bodyLimit)
        } catch let failure {
            if failure.kind == .tooLarge { throw Self.changed }
            throw Complaint(
                .away, code: "playbackUnavailable", message: "\(failure.origin): \(failure.detail)",
                nextStep: "Check that cvr-playback runs there (cvrctl status), or give its address with --url")
        }
    }

    /// What of a camera's footage the server has now is not what it was when the export began.
    private static let changed = Complaint(
        .failed, code: "footageChanged", message: "the footage changed while it was exported",
        nextStep: "Run the same command again: it begins anew, with what there is now")

    private func notUnderstood() -> Complaint {
        Complaint(
            .failed, code: "protocol", message: "the answer of \(address) is not understood",
            nextStep: "Check that cvrctl and cvr-playback are of the same release")
    }

    /// What the server says is wrong.
    private func refusal(_ response: HTTPResponse) -> Complaint {
        struct Answer: Decodable {
            struct Words: Decodable {
                let code: String
                let message: String
                let nextStep: String
            }
            let error: Words
        }
        let status: ExitStatus =
            switch response.status {
            case 400: .usage
            case 401, 403: .refused
            case 404: .notFound
            case 429, 503: .away
            default: .failed
            }
        // What is no error of ours is some other server's.
        guard let words = try? JSONDecoder().decode(Answer.self, from: Data(response.body)).error else {
            return notUnderstood()
        }
        return Complaint(
            status, code: words.code, message: Terminal.plain(words.message), nextStep: Terminal.plain(words.nextStep))
    }
}
