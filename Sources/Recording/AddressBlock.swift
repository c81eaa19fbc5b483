/// Addresses that begin alike: one of IPv4 or IPv6, or all of a block such as `10.0.0.0/8` (RFC 4632; RFC 4291, 2.3).
package struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    /// Sixteen, in network order; those of an IPv4 address stand behind `::ffff:0:0/96`.
    package let bytes: [UInt8]
    /// Bits of `bytes` that count.
    private let length: Int
    package let description: String

    private static let four: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    /// Nil for what is neither.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first else { return nil }
        if let four = ListenAddress.four(address) {
            bytes = Self.four + four
        } else if let six = ListenAddress.six(address) {
            bytes = six
        } else {
            return nil
        }
        let isFour = !address.contains(":")
        if parts.count == 2 {
            guard let bits = ListenAddress.number(parts[1], isFour ? 32 : 128) else { return nil }
            length = Int(bits) + (isFour ? 96 : 0)
        } else {
            length = 128
        }
        description = String(text)
    }

    /// The last four bytes, where they are those of an IPv4 address.
    package var four: ArraySlice<UInt8>? { bytes.starts(with: Self.four) ? bytes.dropFirst(12) : nil }

    package func contains(_ other: AddressBlock) -> Bool {
        guard length <= other.length else { return false }
        return zip(bytes, other.bytes).enumerated().allSatisfy { index, pair in
            let bits = max(0, min(8, length - index * 8))
            return (pair.0 ^ pair.1) >> UInt8(8 - bits) == 0
        }
    }
}
