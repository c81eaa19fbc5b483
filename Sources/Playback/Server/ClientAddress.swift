import HTTPTypes
import Hummingbird
import Recording

/// Whose request or connection it is, as limits count it.
struct ClientAddress {
    /// An IPv4 address, or an IPv6 network of 64 bits, which is one client's.
    let text: String
    /// The same, but of IPv6 48 bits: a site's, in which one client may have all networks (RFC 6177).
    let site: String

    /// Of whoever connected.
    init(_ peer: String) { self.init(AddressBlock(peer), peer) }

    /// The nearest to `peer`, who connected, that is none of `proxies`.
    ///
    /// Whoever asked a proxy is the last entry of `X-Forwarded-For`; where that is a proxy of ours too, the entry before it
    /// is. What stands before an entry that is none, anybody may have written.
    init(_ peer: String, _ request: Request, behind proxies: [AddressBlock]) {
        var client = AddressBlock(peer)
        if !proxies.isEmpty, let name = HTTPField.Name("X-Forwarded-For") {
            var entries = request.headers[values: name].flatMap { $0.split(separator: ",") }
            while let known = client, proxies.hold(known), let entry = entries.popLast(),
                let next = AddressBlock(entry.filter { $0 != " " })
            {
                client = next
            }
        }
        self.init(client, peer)
    }

    private init(_ client: AddressBlock?, _ peer: String) {
        text = client?.network(of: 64) ?? peer
        site = client?.network(of: 48) ?? peer
    }
}

extension [AddressBlock] {
    func hold(_ address: AddressBlock) -> Bool { contains { $0.contains(address) } }

    func hold(_ address: String) -> Bool { AddressBlock(address).map(hold) ?? false }
}

extension AddressBlock {
    /// An IPv4 address whole, of an IPv6 address the first `bits`.
    fileprivate func network(of bits: Int) -> String {
        if let four { return four.map { String($0) }.joined(separator: ".") }
        return bytes.prefix(bits / 8).map { String($0, radix: 16) }.joined(separator: ":")
    }
}
