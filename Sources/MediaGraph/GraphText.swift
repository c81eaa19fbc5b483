/// Texts that are names, paths and URLs.
package enum GraphText {
    package static let assetNameExpression = #"^[^<>%&:\\/?*+.']{1,260}$"#

    /// Whether `assetNameExpression` matches; of a part of a name, whether it does not break it.
    static func isAssetName(_ text: String, isWhole: Bool) -> Bool {
        let length = text.utf16.count
        guard length <= 260, !isWhole || length > 0 else { return false }
        return !text.unicodeScalars.contains { "<>%&:\\/?*+.'".unicodeScalars.contains($0) }
    }

    /// Whether an asset called so can be a folder of every kind of store.
    static func isStorable(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Whether a file can be called so with `.mp4` behind it; of a part of a name, whether it does not prevent that.
    static func isFileName(_ text: String, isWhole: Bool) -> Bool {
        let length = text.utf8.count
        guard length <= 251, !isWhole || length > 0 else { return false }
        return text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }
    }

    static func isAbsolutePath(_ text: String) -> Bool {
        guard text.hasPrefix("/"), text.utf8.count < 1024, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            return false
        }
        return !text.split(separator: "/").contains { $0 == "." || $0 == ".." }
    }

    /// Splits a path before its last part; nil without a slash.
    static func fileParts(of path: String) -> (directory: String, name: String)? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let directory = String(path[..<slash])
        return (directory.isEmpty ? "/" : directory, String(path[path.index(after: slash)...]))
    }

    /// The same directory with one slash between its parts and none at its end.
    static func tidied(_ path: String) -> String { "/" + path.split(separator: "/").joined(separator: "/") }

    /// A number without hexadecimal digits, infinities and the like; nil for anything else.
    static func decimal(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }), let number = Double(text),
            number.isFinite
        else { return nil }
        return number
    }

    /// What stands before `://`, if it can be a scheme.
    static func scheme(of url: String) -> String? {
        guard let end = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<end.lowerBound]
        guard (1...16).contains(scheme.utf8.count),
            scheme.unicodeScalars.allSatisfy({
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789+-.".unicodeScalars.contains($0))
            })
        else { return nil }
        return String(scheme)
    }

    enum Authority: Hashable, Sendable {
        case host
        case userinfo
    }

    /// What a URL names to connect to; nil when that is no host.
    static func authority(of url: String) -> Authority? {
        guard scheme(of: url) != nil, let start = url.firstRange(of: "://"), url.utf8.count <= 2048,
            url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { return nil }
        let authority = url[start.upperBound...].prefix { !"/?#\\".contains($0) }
        if authority.contains("@") { return .userinfo }
        var host = authority
        if let bracket = authority.lastIndex(of: "]") {
            guard authority.hasPrefix("[") else { return nil }
            host = authority[...bracket]
        } else {
            host = authority.prefix { !":[".contains($0) }
        }
        let rest = authority[host.endIndex...]
        guard !host.isEmpty, host != "[]", rest.isEmpty || isPort(rest) else { return nil }
        return .host
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard text.hasPrefix(":"), let port = UInt16(text.dropFirst()) else { return false }
        return port > 0
    }
}
