import Recording

/// Where a bucket's objects are on the wire: by virtual host at AWS, by path at everybody else's.
struct S3Address: Sendable {
    /// Scheme, host and port.
    let origin: String
    /// As a client sends it: without the scheme's own port.
    let host: String
    /// Before each key, with a slash at its end: the bucket, where it is not in the host.
    private let path: String
    /// Before each of our keys, with a slash at its end unless it is empty.
    let prefix: String

    init(_ location: StoreLocation.S3) {
        prefix = location.prefix.isEmpty ? "" : location.prefix + "/"
        // A wildcard certificate covers no dot.
        let isByPath = location.endpoint != nil || location.bucket.contains(".")
        let domain = location.region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        let service = "https://s3.\(location.region).\(domain)"
        origin =
            isByPath
            ? location.endpoint ?? service : "https://\(location.bucket).s3.\(location.region).\(domain)"
        path = isByPath ? "/\(location.bucket)/" : "/"
        let isSecure = origin.hasPrefix("https://")
        let authority = origin.dropFirst(isSecure ? 8 : 7)
        let port = isSecure ? ":443" : ":80"
        host = String(authority.hasSuffix(port) ? authority.dropLast(port.count) : authority)
    }

    var isSecure: Bool { origin.hasPrefix("https://") }

    /// The bucket's own path.
    var bucket: String { path.count > 1 ? String(path.dropLast()) : path }

    /// The path of a key of ours.
    func path(_ key: String) -> String { path + prefix + key }

    /// Our key of one in the bucket; nil when it is not below our prefix.
    func key(_ name: String) -> Substring? { name.hasPrefix(prefix) ? name.dropFirst(prefix.utf8.count) : nil }
}
