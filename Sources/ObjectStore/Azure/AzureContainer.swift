import HTTP
import Recording

/// A container of Azure Blob Storage: where its blobs are, and how a request gets there, signed.
struct AzureContainer: Sendable {
    /// Put Blob takes 5,000 MiB since 2019-12-12, and access tiers that we set since 2021-12-02 include cold.
    static let version = "2021-12-02"
    /// Of answers that hold no blob.
    private static let answerLimit = 64 << 10

    let endpoint: String
    /// The container's path in a URL.
    private let root: String
    private let prefix: String
    private let account: String
    private let credential: AzureCredential
    private let client: HTTPClient
    private let clock: ServiceClock
    private let counting: BilledRequest.Counter

    init(
        _ location: StoreLocation.AzureBlob, _ credential: AzureCredential, client: HTTPClient,
        clock: ServiceClock = ServiceClock(), counting: @escaping BilledRequest.Counter = { _ in }
    ) {
        account = location.account
        endpoint = location.endpoint ?? "https://\(location.account).blob.core.windows.net"
        root = (location.endpoint == nil ? "" : "/\(location.account)") + "/\(location.container)"
        prefix = location.prefix.isEmpty ? "" : location.prefix + "/"
        self.credential = credential
        self.client = client
        self.clock = clock
        self.counting = counting
    }

    /// The path of a blob whose name, without the store's prefix, is `name`.
    func path(_ name: String) -> String { "\(root)/\(percentEncoded(prefix + name, isPath: true))" }

    /// List Blobs, of names that start with `name` behind the store's prefix.
    func listing(_ name: String, marker: String, byFolder: Bool) -> AzureRequest {
        var query = [("restype", "container"), ("comp", "list"), ("maxresults", "1000"), ("prefix", prefix + name)]
        if byFolder { query.append(("delimiter", "/")) }
        if !marker.isEmpty { query.append(("marker", marker)) }
        return AzureRequest("GET", root, query: query.map { (name: $0.0, value: $0.1) }, bill: .list)
    }

    /// What a listing calls a blob, without the store's prefix; nil for one that is not the store's.
    func name(_ listed: String) -> String? {
        listed.hasPrefix(prefix) ? String(listed.dropFirst(prefix.count)) : nil
    }

    /// Signs, sends and waits for the answer, whatever its status; sent again once when what was wrong with the
    /// signature can be mended: our time, or a token that is not believed any more.
    func send(
        _ operation: String, _ thing: String, _ request: AzureRequest, bodyLimit: Int = AzureContainer.answerLimit
    ) throws -> HTTPResponse {
        let moment = clock.now
        let (response, token) = try sendOnce(operation, thing, request, bodyLimit, at: moment)
        if response.status == 401, let token, case .identity(let identity) = credential {
            identity.forget(token)
        } else if response.status != 403 || !clock.learn(from: response, signedAt: moment) {
            return response
        }
        return try sendOnce(operation, thing, request, bodyLimit, at: clock.now).response
    }

    private func sendOnce(
        _ operation: String, _ thing: String, _ request: AzureRequest, _ bodyLimit: Int, at moment: WallTime
    ) throws -> (response: HTTPResponse, token: String?) {
        var request = request
        request.headers += [("x-ms-date", moment.httpDate), ("x-ms-version", Self.version)]
        var (further, token): (String, String?) = ("", nil)
        switch credential {
        case .sharedKey(let key): request.headers.append(("authorization", key.authorization(for: request)))
        case .signature(let query): further = query
        case .identity(let identity):
            let text = try identity.token()
            token = text
            request.headers.append(("authorization", "Bearer \(text)"))
        }
        let wire = HTTPRequest(
            request.method, request.url(at: endpoint, further: further), headers: request.headers, body: request.body)
        do {
            return (try client.perform(wire, bodyLimit: bodyLimit, as: request.bill, counting), token)
        } catch {
            throw ObjectStoreError(operation, thing, error)
        }
    }
}
