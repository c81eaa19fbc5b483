/// Where assets live, as `store.url` says it; never a secret.
///
/// `file:///PATH`, `s3://BUCKET[/PREFIX]?endpoint=&region=` or `azblob://ACCOUNT/CONTAINER[/PREFIX]?endpoint=`.
package enum StoreLocation: Hashable, Sendable {
    case file(path: String)
    case s3(S3)
    case azureBlob(AzureBlob)

    package struct S3: Hashable, Sendable {
        package var bucket: String
        /// Before the site in each key; empty or without a slash at either end.
        package var prefix: String
        /// `http(s)://HOST[:PORT]`, addressed by path; nil is AWS, addressed by virtual host.
        package var endpoint: String?
        package var region: String

        package init(bucket: String, prefix: String, endpoint: String?, region: String) {
            self.bucket = bucket
            self.prefix = prefix
            self.endpoint = endpoint
            self.region = region
        }
    }

    package struct AzureBlob: Hashable, Sendable {
        package var account: String
        package var container: String
        package var prefix: String
        /// `http(s)://HOST[:PORT]`, with the account as the first part of the path, as Microsoft's emulator has it; nil
        /// is `https://ACCOUNT.blob.core.windows.net`.
        package var endpoint: String?

        package init(account: String, container: String, prefix: String, endpoint: String?) {
            self.account = account
            self.container = container
            self.prefix = prefix
            self.endpoint = endpoint
        }
    }

    /// What is wrong with a URL, without quoting it: somebody may have put a secret there (I10).
    package struct Mistake: Error, Hashable, Sendable {
        package var message: String
    }

    package init(_ url: String) throws(Mistake) {
        guard url.utf8.count <= 1024, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !url.contains("#"),
            let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://")
        else { throw Mistake(message: "not a URL: longer than 1024 bytes, with blanks, a # or without ://") }
        let rest = url[colon...].dropFirst(3)
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = parts.first ?? ""
        guard !place.contains("@") else {
            throw Mistake(message: "holds a user name or key; write credential: NAME instead")
        }
        switch url[..<colon].lowercased() {
        case "file":
            guard place.hasPrefix("/"), parts.count == 1, !place.contains("%") else {
                throw Mistake(message: "a file store is file:///ABSOLUTE/PATH, without %, ? and #")
            }
            self = .file(path: String(place))
        case "s3":
            self = .s3(try S3(place, try Self.query(parts.count == 2 ? parts[1] : "", ["endpoint", "region"])))
        case "azblob":
            self = .azureBlob(try AzureBlob(place, try Self.query(parts.count == 2 ? parts[1] : "", ["endpoint"])))
        default: throw Mistake(message: "a store is file:///PATH, s3://BUCKET/PREFIX or azblob://ACCOUNT/CONTAINER")
        }
    }

    /// Tells it from every other store; without what may change while it stays the same, as a region does.
    package var place: String {
        switch self {
        case .file(let path): return path
        case .s3(let s3):
            let path = s3.prefix.isEmpty ? s3.bucket : "\(s3.bucket)/\(s3.prefix)"
            return "s3://\(path)" + (s3.endpoint.map { "?endpoint=\($0)" } ?? "")
        case .azureBlob(let azure):
            let path = azure.prefix.isEmpty ? azure.container : "\(azure.container)/\(azure.prefix)"
            return "azblob://\(azure.account)/\(path)" + (azure.endpoint.map { "?endpoint=\($0)" } ?? "")
        }
    }

    /// The URL's scheme.
    package var service: String {
        switch self {
        case .file: "file"
        case .s3: "s3"
        case .azureBlob: "azblob"
        }
    }

    /// The path of a `file:` store.
    package var folder: String? { if case .file(let path) = self { path } else { nil } }
}

extension StoreLocation.S3 {
    fileprivate init(_ place: Substring, _ query: [String: String]) throws(StoreLocation.Mistake) {
        let parts = place.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.first ?? ""
        guard (3...63).contains(name.utf8.count), name.utf8.allSatisfy({ isName($0) || $0 == UInt8(ascii: ".") }) else {
            throw StoreLocation.Mistake(message: "a bucket's name has 3 to 63 of a-z, 0-9, . and -")
        }
        let region = query["region"] ?? "us-east-1"
        guard !region.isEmpty, region.utf8.allSatisfy(isName) else {
            throw StoreLocation.Mistake(message: "region= is a name such as eu-central-1")
        }
        self.init(
            bucket: String(name), prefix: try StoreLocation.prefix(parts.count == 2 ? parts[1] : ""),
            endpoint: try query["endpoint"].map { text throws(StoreLocation.Mistake) in
                try StoreLocation.endpoint(text)
            }, region: region)
    }
}

extension StoreLocation.AzureBlob {
    fileprivate init(_ place: Substring, _ query: [String: String]) throws(StoreLocation.Mistake) {
        let parts = place.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, (3...24).contains(parts[0].utf8.count),
            parts[0].utf8.allSatisfy({ isName($0) && $0 != UInt8(ascii: "-") })
        else { throw StoreLocation.Mistake(message: "an Azure store is azblob://ACCOUNT/CONTAINER[/PREFIX]") }
        guard (3...63).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(isName) else {
            throw StoreLocation.Mistake(message: "a container's name has 3 to 63 of a-z, 0-9 and -")
        }
        self.init(
            account: String(parts[0]), container: String(parts[1]),
            prefix: try StoreLocation.prefix(parts.count == 3 ? parts[2] : ""),
            endpoint: try query["endpoint"].map { text throws(StoreLocation.Mistake) in
                try StoreLocation.endpoint(text)
            })
    }
}

extension StoreLocation {
    fileprivate static func prefix(_ text: Substring) throws(Mistake) -> String {
        let path = text.hasSuffix("/") ? text.dropLast() : text
        guard !path.isEmpty else { return "" }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isSafe = parts.allSatisfy { part in
            part.first.map { $0 != "." } ?? false
                && part.utf8.allSatisfy { isName($0 | 0x20) || "_.".utf8.contains($0) }
        }
        guard isSafe, path.utf8.count <= 512 else {
            throw Mistake(message: "the prefix has parts of letters, digits, -, _ and ., none starting with a dot")
        }
        return String(path)
    }

    /// A scheme, a host and a port; nothing behind them.
    fileprivate static func endpoint(_ text: String) throws(Mistake) -> String {
        let address = text.hasSuffix("/") ? String(text.dropLast()) : text
        let scheme = ["https://", "http://"].first { address.hasPrefix($0) }
        guard let scheme, case let host = address.dropFirst(scheme.count), !host.isEmpty,
            host.utf8.allSatisfy({ isName($0 | 0x20) || ".:[]".utf8.contains($0) })
        else { throw Mistake(message: "endpoint= is https://HOST[:PORT], or http:// within a trusted network") }
        return address
    }

    /// `name=value&…`, percent-encoded; each at most once, and none that is not known.
    private static func query(_ text: Substring, _ known: [String]) throws(Mistake) -> [String: String] {
        var values: [String: String] = [:]
        for item in text.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = known.first(where: { $0 == parts[0] }), values[name] == nil,
                let value = decoded(parts[1])
            else { throw Mistake(message: "after the ? there may be, once each: \(known.joined(separator: "=, "))=") }
            values[name] = value
        }
        return values
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// A letter in lower case, a digit or a hyphen.
private func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
    default: false
    }
}
