import Foundation
package import HTTP
import Recording
import Synchronization

/// Tokens of the box's managed identity, for Azure Storage.
///
/// From the Instance Metadata Service of a virtual machine ("How to use managed identities for Azure resources on an
/// Azure VM to acquire an access token"), or from the agent of Azure Arc ("Authenticate against Azure resources with
/// Azure Arc-enabled servers"), which proves by a file that only privileged users of this machine can read that we are
/// on it. A token is kept until 5 minutes before its end, and longer when no other is to be had. Asked by one thread at
/// a time; the others wait for what it gets. After a failure nobody asks before the service wants it, or before a
/// growing, random while is over.
package final class AzureIdentity: Sendable {
    /// Who gives out tokens.
    package enum Source: Hashable, Sendable {
        case machine(url: String)
        case arc(url: String)

        /// As Azure's own clients find it: Arc's agent sets both variables, and leaves its program where it always is.
        package init(environment: [String: String], isArcInstalled: Bool) {
            let metadata = environment["IMDS_ENDPOINT"]
            if let endpoint = environment["IDENTITY_ENDPOINT"], metadata != nil {
                self = .arc(url: endpoint)
            } else if isArcInstalled {
                self = .arc(url: "http://127.0.0.1:40342/metadata/identity/oauth2/token")
            } else {
                self = .machine(url: (metadata ?? "http://169.254.169.254") + "/metadata/identity/oauth2/token")
            }
        }
    }

    private struct State {
        var token: Token?
        var failures = 0
        var pause: (until: ContinuousClock.Instant, why: ObjectStoreError)?
    }

    private struct Token {
        var text: String
        var end: ContinuousClock.Instant
    }

    static let arcProgram = "/opt/azcmagent/bin/himds"
    package static let arcSecrets = "/var/opt/azcmagent/tokens"
    private static let answerLimit = 64 << 10
    private static let margin = Duration.seconds(300)

    private let source: Source
    private let client: HTTPClient
    private let secrets: String
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// Asks through `client`, which has no proxy for these addresses: they are this machine's own.
    ///
    /// `secrets` is where the files of Arc's challenges may lie.
    package init(
        _ source: Source, client: HTTPClient, secrets: String = AzureIdentity.arcSecrets,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.source = source
        self.client = client
        self.secrets = secrets
        self.now = now
    }

    /// A token that is good now, as far as was promised; blocks.
    package func token() throws -> String {
        try state.withLock { state in
            let now = now()
            if let token = state.token, now < token.end - Self.margin { return token.text }
            let old = state.token.flatMap { now < $0.end ? $0.text : nil }
            if let pause = state.pause, now < pause.until {
                guard let old else { throw pause.why.after(pause.until - now) }
                return old
            }
            do {
                let token = try fetch(now)
                state = State(token: token)
                return token.text
            } catch let error as ObjectStoreError {
                state.failures = min(state.failures + 1, 6)
                let wait = Self.wait(after: state.failures, error.retryAfter)
                state.pause = (now + wait, error)
                guard let old else { throw error.after(wait) }
                return old
            }
        }
    }

    /// The service did not believe this one: the next question gets another.
    package func forget(_ token: String) {
        state.withLock { if $0.token?.text == token { $0.token = nil } }
    }

    /// Full jitter below 1 s, 2 s, … 60 s, never before the service wants to be asked again.
    private static func wait(after failures: Int, _ wanted: TimeSpan?) -> Duration {
        let jitter = Duration.milliseconds(Int.random(in: 0...min(60_000, 1000 << (failures - 1))))
        return max(jitter, wanted.map { .microseconds(min(max(0, $0.microseconds), 3_600_000_000)) } ?? .zero)
    }
}

extension AzureIdentity {
    private func fetch(_ now: ContinuousClock.Instant) throws -> Token {
        switch source {
        case .machine(let url):
            return try token(in: try ask(url, version: "2018-02-01"), now)
        case .arc(let url):
            let challenge = try ask(url, version: "2020-06-01")
            guard challenge.status == 401 else { return try token(in: challenge, now) }
            let secret = try answer(to: challenge["www-authenticate"] ?? "")
            return try token(in: try ask(url, version: "2020-06-01", ("authorization", "Basic \(secret)")), now)
        }
    }

    private func ask(_ url: String, version: String, _ header: (String, String)? = nil) throws -> HTTPResponse {
        let query = "?api-version=\(version)&resource=\(percentEncoded("https://storage.azure.com/"))"
        var headers = [(name: "metadata", value: "true")]
        if let header { headers.append((name: header.0, value: header.1)) }
        do {
            return try client.perform(HTTPRequest("GET", url + query, headers: headers), bodyLimit: Self.answerLimit)
        } catch {
            throw Self.failed(
                "\(error.origin): \(error.detail)",
                nextStep: "make this box known to Azure: as one of its virtual machines, or by azcmagent connect")
        }
    }

    private func token(in response: HTTPResponse, _ now: ContinuousClock.Instant) throws -> Token {
        guard response.status == 200 else { throw Self.refused(response) }
        // What does not decode is no token, whyever.
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)),
            !answer.token.isEmpty, answer.token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            (1...604_800).contains(answer.lifetime)
        else { throw Self.failed("the answer holds no token", nextStep: "none; it is asked again") }
        return Token(text: answer.token, end: now + .seconds(answer.lifetime))
    }

    /// Arc's proof: what is in the file that it names, which must be one that only Arc can have put there.
    private func answer(to challenge: String) throws -> String {
        let prefix = "Basic realm="
        guard challenge.hasPrefix(prefix) else { throw Self.failed("a challenge that is none of Azure Arc's") }
        let path = String(challenge.dropFirst(prefix.count))
        let name = path.hasPrefix(secrets + "/") ? path.dropFirst(secrets.utf8.count + 1) : ""
        guard name.hasSuffix(".key"), !name.hasPrefix("."), !name.contains("/"), !name.contains("\0") else {
            throw Self.failed("a challenge that names a file outside \(secrets)")
        }
        guard let length = try File.length(path), length <= 4096,
            let bytes = try File.contents(path, limit: 4096), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw Self.failed("the secret of the challenge is not there, or is none") }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func refused(_ response: HTTPResponse) -> ObjectStoreError {
        let nextStep =
            switch response.status {
            case 400, 403: "give this box a managed identity that may write to the store's container"
            case 401: "let the user cvr read the agent's secrets: add it to the group himds"
            default: "none; it is asked again"
            }
        var error = failed("status \(response.status)", nextStep: nextStep)
        if response["retry-after"] != nil { error.retryAfter = response.retryAfter(otherwise: .zero) }
        return error
    }

    private static func failed(
        _ detail: String, nextStep: String = "check the agent of Azure Arc on this box"
    ) -> ObjectStoreError {
        ObjectStoreError(
            "get", "a token of the managed identity", detail: detail, nextStep: nextStep, scope: .store)
    }
}

/// What a token service answers; numbers may be in quotes.
private struct Answer: Decodable {
    let token: String
    /// Seconds.
    let lifetime: Int64

    private enum CodingKeys: String, CodingKey {
        case token = "access_token"
        case lifetime = "expires_in"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        token = try values.decode(String.self, forKey: .token)
        // Not a number: a text then.
        if let number = try? values.decode(Int64.self, forKey: .lifetime) {
            lifetime = number
        } else {
            lifetime = Int64(try values.decode(String.self, forKey: .lifetime)) ?? 0
        }
    }
}

extension ObjectStoreError {
    fileprivate func after(_ wait: Duration) -> ObjectStoreError {
        var error = self
        let (seconds, attoseconds) = wait.components
        error.retryAfter = .seconds(seconds) + TimeSpan(microseconds: attoseconds / 1_000_000_000_000)
        return error
    }
}
