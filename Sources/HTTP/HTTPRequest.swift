/// One request; nothing is added to it that a signature would have to cover.
package struct HTTPRequest: Sendable {
    package var method: String
    /// `http` or `https`, percent-encoded.
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: HTTPBody
    /// Takes the body of a success in the answer's place, as it comes: on the client's own thread, which waits for it.
    package var sink: (@Sendable (UnsafeRawBufferPointer) -> Void)?

    package init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: HTTPBody = .none
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Scheme, host and port: all of a URL that may be shown, since its query may hold a signature.
    package var origin: String {
        guard let authority = url.firstRange(of: "://")?.upperBound else { return "" }
        let rest = url[authority...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let start = rest[..<end].lastIndex(of: "@").map { rest.index(after: $0) } ?? authority
        return String(url[..<authority] + url[start..<end])
    }
}

/// What a request sends.
package enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    /// Read while it is sent, through one buffer: the file may be of any length.
    case file(String, offset: Int64, count: Int64)
}

/// An answer, whole, whatever its status.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]

    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = Dictionary(headers.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
        self.body = body
    }

    /// The value of a header, in whatever case its name is written; of two the first.
    package subscript(name: String) -> String? { headers[name.lowercased()] }
}
