import HTTP
import Recording

/// One request to S3, not signed yet.
struct S3Request {
    var operation: String
    var method: String
    /// What an error names.
    var thing: String
    /// Encoded; that of the bucket or of a key.
    var path: String
    /// Names and values are encoded.
    var query: [(name: String, value: String)] = []
    /// Names in lower case; all are signed.
    var headers: [(name: String, value: String)] = []
    var body = HTTPBody.none
    /// Of an answer's body.
    var limit = 4 << 20
    /// How it is billed; nil where that is no write.
    var bill: BilledRequest.Kind?
    /// As that of an `HTTPRequest`.
    var sink: (@Sendable (UnsafeRawBufferPointer) -> Void)?

    init(_ operation: String, _ method: String, _ thing: String, path: String) {
        self.operation = operation
        self.method = method
        self.thing = thing
        self.path = path
    }
}

/// Signed requests to one bucket, and what their answers mean.
struct S3Connection: Sendable {
    let address: S3Address
    private let signature: S3Signature
    private let client: HTTPClient
    private let clock: ServiceClock
    private let counting: BilledRequest.Counter

    init(
        _ location: StoreLocation.S3, _ credential: S3Credential, _ client: HTTPClient,
        clock: ServiceClock, counting: @escaping BilledRequest.Counter
    ) {
        address = S3Address(location)
        signature = S3Signature(credential, region: location.region)
        self.client = client
        self.clock = clock
        self.counting = counting
    }

    /// What a request about the bucket itself names and asks for.
    var bucket: (thing: String, path: String) { (address.origin + address.bucket, address.bucket) }

    /// About one key of ours.
    func request(_ operation: String, _ method: String, _ key: String) -> S3Request {
        S3Request(operation, method, key, path: address.path(key))
    }

    /// Once more, and again, when another conditional write of the same key is under way (409).
    func sendUnlessInConflict(_ request: S3Request) throws -> HTTPResponse {
        for _ in 0..<2 {
            let response = try send(request)
            guard response.status == 409, S3Refusal(response).code == "ConditionalRequestConflict" else {
                return response
            }
        }
        return try send(request)
    }

    /// The answer, whatever its status; sent again once when it shows that our time was too far off to sign with.
    func send(_ request: S3Request) throws -> HTTPResponse {
        let moment = clock.now
        let response = try sendOnce(request, at: moment)
        // 403 RequestTimeTooSkewed; Garage's word is 400, and an answer to HEAD has no word at all.
        guard response.status == 403 || response.status == 400, clock.learn(from: response, signedAt: moment) else {
            return response
        }
        return try sendOnce(request, at: clock.now)
    }

    private func sendOnce(_ request: S3Request, at moment: WallTime) throws -> HTTPResponse {
        var query = ""
        for (name, value) in request.query { query += (query.isEmpty ? "?" : "&") + "\(name)=\(value)" }
        var headers = [(name: "host", value: address.host)] + request.headers
        headers += signature.headers(
            request.method, path: request.path, query: request.query, headers: headers, payload: try payload(request),
            at: moment)
        var wire = HTTPRequest(
            request.method, address.origin + request.path + query, headers: headers, body: request.body)
        wire.sink = request.sink
        do {
            return try client.perform(
                wire, bodyLimit: request.limit, as: request.bill, counting)
        } catch {
            throw ObjectStoreError(request.operation, request.thing, error)
        }
    }

    /// What an answer that is no success says, as an error.
    func refusal(_ request: S3Request, _ response: HTTPResponse) -> ObjectStoreError {
        S3Refusal(response).error(request.operation, request.thing, response)
    }

    /// A success that no S3 would give: a captive portal, another service.
    func stranger(_ request: S3Request) -> ObjectStoreError {
        var error = ObjectStoreError(
            request.operation, request.thing, detail: "\(address.origin) answered as no S3 store does",
            nextStep: "check store.url, and that no login page is between this box and the store", scope: .store)
        error.outlook = .lasting
        return error
    }

    /// The body's SHA-256 where nobody but the signature protects it; TLS protects it better and is cheaper.
    private func payload(_ request: S3Request) throws -> String {
        switch request.body {
        case .none: return S3Signature.hash([])
        case .bytes(let bytes): return S3Signature.hash(bytes)
        case .file(let path, let offset, let count):
            guard !address.isSecure else { return S3Signature.unsignedPayload }
            return try File.hash(path, offset: offset, count: count)
        }
    }
}
