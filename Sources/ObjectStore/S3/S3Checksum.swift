import Foundation

/// CRC-32C as S3 writes it: four bytes, the most significant first, in base 64.
struct S3Checksum {
    static let header = "x-amz-checksum-crc32c"

    let value: UInt32

    /// Nil for anything else, as for the checksum of checksums of an upload in parts.
    init?(_ text: String) {
        guard let bytes = Data(base64Encoded: text), bytes.count == 4 else { return nil }
        value = bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func text(_ value: UInt32?) -> String {
        guard let value else { return "" }
        return withUnsafeBytes(of: value.bigEndian) { Data($0).base64EncodedString() }
    }
}
