import Recording

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
            && name.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// Whether a file can be called so with `.mp4` behind it; of a part of a name, whether it does not prevent that.
    static func isFileName(_ text: String, isWhole: Bool) -> Bool {
        isWhole ? SinkFileName.isUsable(text) : SinkFileName.isUsable(part: text)
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

    /// Whether it is one line that a terminal and a protocol of lines can bear.
    static func isPrintable(_ text: String) -> Bool {
        !text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }

    /// Without blanks around it, as .NET reads numbers and booleans.
    static func trimmed(_ text: String) -> String {
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }

    /// A whole number of 64 bits; nil for anything else.
    static func integer(_ text: String) -> Int64? { Int64(trimmed(text)) }

    /// A number without hexadecimal digits, infinities and the like; nil for anything else.
    static func decimal(_ text: String) -> Double? {
        let text = trimmed(text)
        guard text.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }), let number = Double(text),
            number.isFinite
        else { return nil }
        return number
    }

    /// As LVA writes it, a bare `0` too; years and months have no length that a gate could go by.
    static func duration(_ text: String) -> TimeSpan? {
        text == "0" ? .zero : ISO8601Duration.span(of: text, takesYears: false)
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

    /// What `CameraAddress` of cvr-ingest takes beyond `authority`.
    static func isCameraURL(_ url: String) -> Bool {
        guard url.utf8.count < CameraURL.limit, let start = url.firstRange(of: "://") else { return false }
        return url.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && !url[start.upperBound...].prefix { $0 != "/" }.contains("@")
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
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
