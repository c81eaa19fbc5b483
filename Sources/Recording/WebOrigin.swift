/// Where a web page is from (RFC 6454), as `https://portal.example` or `http://10.0.0.7:8080`.
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    package let scheme: String
    /// Host, and the port unless it is the scheme's own: as a browser says it in `Host`.
    package let authority: String

    package var description: String { "\(scheme)://\(authority)" }

    /// Nil for anything with a user, a path, a query, or another scheme than http and https.
    package init?(_ text: some StringProtocol) {
        let text = text.lowercased()
        guard let (scheme, usual) = [("https", ":443"), ("http", ":80")].first(where: { text.hasPrefix("\($0.0)://") })
        else { return nil }
        let rest = text.dropFirst(scheme.utf8.count + 3)
        let host = rest.hasPrefix("[") ? rest.prefix { $0 != "]" } + "]" : rest.prefix { $0 != ":" }
        let port = rest.dropFirst(host.count)
        guard Self.isHost(host), rest.hasPrefix(host), rest.utf8.count <= 255,
            port.isEmpty || (port.hasPrefix(":") && ListenAddress.number(port.dropFirst(), .max).map { $0 > 0 } == true)
        else { return nil }
        self.scheme = scheme
        authority = String(host) + (port == usual ? "" : port)
    }

    private static func isHost(_ host: some StringProtocol) -> Bool {
        guard host.hasPrefix("[") else {
            return !host.isEmpty
                && host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
        }
        return ListenAddress.six(host.dropFirst().dropLast()) != nil
    }
}
