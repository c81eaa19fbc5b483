package import HTTP

/// A request to Azure Blob Storage before it is signed: its parts as the rules of signing name them.
package struct AzureRequest: Sendable {
    package var method: String
    /// As in the URL, percent-encoded, from the first slash: `/CONTAINER/NAME`, behind the account where addresses are
    /// path-style.
    package var path: String
    /// Not encoded.
    package var query: [(name: String, value: String)] = []
    /// Names in lower case.
    package var headers: [(name: String, value: String)] = []
    package var body = HTTPBody.none
    /// How it is billed; nil where that is no write.
    var bill: BilledRequest.Kind?

    package init(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], body: HTTPBody = .none, bill: BilledRequest.Kind? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.bill = bill
    }

    var length: Int64 { body.count }

    /// `further` is a query that is encoded already, such as a shared access signature.
    func url(at endpoint: String, further: String = "") -> String {
        var items = query.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }
        if !further.isEmpty { items.append(further) }
        return endpoint + path + (items.isEmpty ? "" : "?" + items.joined(separator: "&"))
    }
}

/// All but what RFC 3986 calls unreserved as `%XX`; `/` too, unless it parts a path.
func percentEncoded(_ text: String, isPath: Bool = false) -> String {
    var encoded: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            encoded.append(byte)
        case UInt8(ascii: "/") where isPath: encoded.append(byte)
        default: encoded += Array((byte < 16 ? "%0" : "%").utf8) + Array(String(byte, radix: 16, uppercase: true).utf8)
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
