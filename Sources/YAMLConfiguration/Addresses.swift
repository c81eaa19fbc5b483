import Recording

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

    /// A store's URL and what it says.
    static func store(_ text: String) throws(BadValue) -> (url: String, location: StoreLocation) {
        let location: StoreLocation
        do throws(StoreLocation.Mistake) { location = try StoreLocation(text) } catch {
            throw BadValue(error.message)
        }
        guard let folder = location.folder else { return (text, location) }
        let path = try Values.path(folder)
        return ("file://" + path, .file(path: path))
    }

    /// `http://HOST:PORT`, without a user name: what is asked of a proxy is encrypted, what it is told of us is not.
    static func proxy(_ text: String) throws(BadValue) -> String {
        let (scheme, rest) = try split(text)
        guard ["http", "https"].contains(scheme) else { throw BadValue("a proxy is http://HOST:PORT") }
        guard !rest.contains("@"), isHostAndPort(rest.hasSuffix("/") ? rest.dropLast() : rest) else {
            throw BadValue("a proxy is http://HOST:PORT, without user name, password and path")
        }
        return text
    }

    static func split(_ text: String) throws(BadValue) -> (scheme: String, rest: Substring) {
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

    static func isHostAndPort(_ authority: Substring) -> Bool {
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
