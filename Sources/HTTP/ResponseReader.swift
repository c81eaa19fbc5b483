/// An answer as it comes in: bounded, whatever a server sends.
struct ResponseReader {
    /// Of all headers of one answer; S3's and Azure's have a few kilobytes, metadata included.
    static let headerLimit = 64 << 10

    let bodyLimit: Int
    /// Of the last status line; zero before the first.
    private(set) var status = 0
    private(set) var headers: [String: String] = [:]
    private(set) var body: [UInt8] = []
    private var headerBytes = 0

    init(bodyLimit: Int) { self.bodyLimit = bodyLimit }

    /// One line, its end included; false when there are too many.
    ///
    /// An interim answer (RFC 9110 §15.2) comes before the real one, whose status line starts anew.
    mutating func header(_ line: UnsafeRawBufferPointer) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            headers = [:]
            headerBytes = 0
            status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        }
        headerBytes += line.count
        guard headerBytes <= Self.headerLimit else { return false }
        guard let colon = text.firstIndex(of: ":") else { return true }
        let name = text[..<colon].lowercased()
        let value = text[text.index(after: colon)...].drop(while: \.isWhitespace)
        let end = value.lastIndex { !$0.isWhitespace }.map { value.index(after: $0) } ?? value.startIndex
        if headers[name] == nil { headers[name] = String(value[..<end]) }
        return true
    }

    /// False when it is more than the caller wants.
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= bodyLimit else { return false }
        body.append(contentsOf: bytes)
        return true
    }
}
