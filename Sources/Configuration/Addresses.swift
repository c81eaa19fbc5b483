/// The URLs that a configuration holds.
///
/// A refusal never quotes the URL: it may hold a password (I10).
enum Addresses {
    /// `rtsp://HOST[:PORT]/…` or `rtsps://…`, without userinfo.
    static func camera(_ text: String) throws(BadValue) -> String {
        let (scheme, rest) = try split(text)
        guard ["rtsp", "rtsps"].contains(scheme) else {
            throw BadValue("a camera's URL starts with rtsp:// or rtsps://")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@"), !looksLikeUserinfo(authority, before: rest.dropFirst(authority.count)) else {
            throw BadValue(
                "holds a user name or password; write username: NAME and credential: FILE instead, and the password "
                    + "into the 0600 file of that name in the state's credentials directory")
        }
        guard !rest.contains("#") else { throw BadValue("a camera's URL has no # part") }
        guard isHostAndPort(authority) else { throw BadValue("a URL without a valid host and port") }
        return text
    }

    /// The path of `file:///…`; the other kinds of stores are refused by name.
    static func store(_ text: String) throws(BadValue) -> String {
        let (scheme, rest) = try split(text)
        switch scheme {
        case "file":
            guard rest.hasPrefix("/"), !text.contains("%"), !text.contains("?"), !text.contains("#") else {
                throw BadValue("a file store is file:///ABSOLUTE/PATH, without %, ? and #")
            }
            return try Values.path(String(rest))
        case "s3", "azblob":
            throw BadValue("\(scheme): stores are not supported by this version; use file:///ABSOLUTE/PATH")
        default: throw BadValue("a store is file:///ABSOLUTE/PATH")
        }
    }

    private static func split(_ text: String) throws(BadValue) -> (scheme: String, rest: Substring) {
        guard text.utf8.count <= 1024, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw BadValue("not a URL: longer than 1024 bytes, or holds blanks or non-ASCII characters")
        }
        guard let colon = text.firstRange(of: "://") else { throw BadValue("not a URL: no SCHEME://") }
        return (text[..<colon.lowerBound].lowercased(), text[colon.upperBound...])
    }

    /// `name:pass/word@host`: an authority cut short by a slash in the password.
    private static func looksLikeUserinfo(_ authority: Substring, before rest: Substring) -> Bool {
        rest.contains("@") && !isHostAndPort(authority)
    }

    private static func isHostAndPort(_ authority: Substring) -> Bool {
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            host = authority[..<colon]
            guard let port = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(port) else {
                return false
            }
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            return host.contains(":") && host.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        return !host.isEmpty && host.allSatisfy { ($0.isASCII && ($0.isLetter || $0.isNumber)) || "-._".contains($0) }
    }
}
