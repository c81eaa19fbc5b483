/// Where a process listens for TCP: a numeric address and a port, as `127.0.0.1:8480` or `[::1]:8480`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four bytes of IPv4 or sixteen of IPv6, in network order.
    package let bytes: [UInt8]
    /// 0 is any that is free.
    package let port: UInt16
    /// The address as it was written, an IPv6 one within brackets.
    private let host: String

    /// Nil for a name: what it means may change, and who may connect with it.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = Self.number(text[text.index(after: colon)...], UInt16.max)
        else { return nil }
        let host = text[..<colon]
        let bytes = host.hasPrefix("[") && host.hasSuffix("]") ? Self.six(host.dropFirst().dropLast()) : Self.four(host)
        guard let bytes else { return nil }
        self.bytes = bytes
        self.port = UInt16(port)
        self.host = String(host)
    }

    /// The same address at another port.
    package init(_ address: ListenAddress, port: UInt16) {
        (bytes, host, self.port) = (address.bytes, address.host, port)
    }

    package var description: String { "\(host):\(port)" }

    /// Nobody on another host can connect: 127.0.0.0/8 (RFC 1122, 3.2.1.3), ::1, and the former as IPv6.
    package var isLoopback: Bool {
        if bytes.count == 4 { return bytes.first == 127 }
        let head = bytes.prefix(12)
        if head.elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) { return bytes.dropFirst(12).first == 127 }
        return head.allSatisfy { $0 == 0 } && bytes.suffix(4).elementsEqual([0, 0, 0, 1])
    }

    static func number(_ text: some StringProtocol, _ most: UInt16) -> UInt32? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt32(text), value <= most
        else { return nil }
        return value
    }

    static func four(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let values = parts.compactMap { number($0, 255).map { UInt8($0) } }
        return parts.count == 4 && values.count == 4 ? values : nil
    }

    /// RFC 4291, 2.2: eight groups, `::` for a run of zeros, the last two perhaps as IPv4.
    static func six(_ text: some StringProtocol) -> [UInt8]? {
        guard let gap = text.firstRange(of: "::") else {
            return groups(text).flatMap { $0.count == 16 ? $0 : nil }
        }
        guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]),
            head.count + tail.count <= 14
        else { return nil }
        return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: some StringProtocol) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, let four = four(part) { return bytes + four }
            guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), let value = UInt16(part, radix: 16)
            else { return nil }
            bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
        }
        return bytes
    }
}
