import HTTPTypes
import Hummingbird
import Recording

/// Whose request it is, as limits count it: an IPv4 address, or an IPv6 network of 64 bits, which is one client's.
struct ClientAddress {
    let text: String

    /// The nearest to `peer`, who connected, that is none of `proxies`.
    ///
    /// Whoever asked a proxy is the last entry of `X-Forwarded-For`; where that is a proxy of ours too, the entry before it
    /// is. What stands before an entry that is none, anybody may have written.
    init(_ peer: String, _ request: Request, behind proxies: [AddressBlock]) {
        var client = AddressBlock(peer)
        if !proxies.isEmpty, let name = HTTPField.Name("X-Forwarded-For") {
            var entries = request.headers[values: name].flatMap { $0.split(separator: ",") }
            while let known = client, proxies.contains(where: { $0.contains(known) }), let entry = entries.popLast(),
                let next = AddressBlock(entry.filter { $0 != " " })
            {
                client = next
            }
        }
        text = client?.network ?? peer
    }
}

extension AddressBlock {
    fileprivate var network: String {
        if let four { return four.map { String($0) }.joined(separator: ".") }
        return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ":")
    }
}
