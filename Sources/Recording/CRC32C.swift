/// CRC-32C (Castagnoli), RFC 3720 §12.1, reflected, slicing by eight.
package struct CRC32C: Hashable, Sendable {
    private var state: UInt32 = 0xFFFF_FFFF

    package init() {}

    package init(_ bytes: some Collection<UInt8>) { update(bytes) }

    /// The checksum of everything given so far.
    package var value: UInt32 { ~state }

    package mutating func update(_ bytes: some Collection<UInt8>) {
        let contiguous: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
        if contiguous == nil {
            for byte in bytes { state = Self.step(state, byte) }
        }
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var crc = state
        var offset = 0
        Self.table.withUnsafeBufferPointer { table in
            while bytes.count - offset >= 8 {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                let mixed = word ^ UInt64(crc)
                var folded: UInt32 = 0
                for lane in 0..<8 {
                    let byte = Int((mixed >> UInt64(8 * lane)) & 0xFF)
                    folded ^= table[(7 - lane) * 256 + byte]
                }
                crc = folded
                offset += 8
            }
        }
        while offset < bytes.count {
            crc = Self.step(crc, bytes[offset])
            offset += 1
        }
        state = crc
    }

    /// Eight lower-case hexadecimal digits.
    package var hex: String { Self.hex(value) }

    package static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    private static func step(_ crc: UInt32, _ byte: UInt8) -> UInt32 {
        (crc >> 8) ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
    }

    /// `table[256 * n + b]` advances byte `b` past `n` further zero bytes.
    private static let table: [UInt32] = {
        var table = [UInt32](repeating: 0, count: 2048)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
            table[byte] = crc
        }
        for index in 256..<2048 {
            let previous = table[index - 256]
            table[index] = (previous >> 8) ^ table[Int(previous & 0xFF)]
        }
        return table
    }()
}
