import HTTPTypes
package import Hummingbird
package import Recording

/// Whose request or connection it is, as limits count it.
package struct ClientAddress: Sendable {
    /// An IPv4 address, or an IPv6 network of 64 bits, which is one client's.
    package let text: String
    /// The same, but of IPv6 48 bits: a site's, in which one client may have all networks (RFC 6177).
    package let site: String

    /// Of whoever connected.
    package init(_ peer: String) { self.init(AddressBlock(peer), peer) }

    /// The nearest to `peer`, who connected, that is none of `proxies`.
    ///
    /// Whoever asked a proxy is the last entry of `X-Forwarded-For`; where that is a proxy of ours too, the entry before it
    /// is. What stands before an entry that is none, anybody may have written.
    package init(_ peer: String, _ request: Request, behind proxies: [AddressBlock]) {
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
    package func hold(_ address: AddressBlock) -> Bool { contains { $0.contains(address) } }

    package func hold(_ address: String) -> Bool { AddressBlock(address).map(hold) ?? false }
}

extension AddressBlock {
    /// An IPv4 address whole, of an IPv6 address the first `bits`.
    fileprivate func network(of bits: Int) -> String {
        if let four { return four.map { String($0) }.joined(separator: ".") }
        return bytes.prefix(bits / 8).map { String($0, radix: 16) }.joined(separator: ":")
    }
}
