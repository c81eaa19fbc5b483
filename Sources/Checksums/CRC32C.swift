import CChecksum

/// CRC-32C (Castagnoli), RFC 3720 §12.1, reflected: by the processor's own instruction, else slicing by eight.
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
        if Self.hasInstruction {
            state = cvr_crc32c(state, bytes.baseAddress, bytes.count)
        } else {
            slice(bytes)
        }
    }

    /// Adds bytes whose checksum is known, `count` of them, without looking at them.
    package mutating func append(_ next: CRC32C, count: Int64) {
        state = ~(Self.multiplied(Self.shift(by: count), value) ^ next.value)
    }

    /// By tables, as `update` does where there is no instruction for it.
    package mutating func slice(_ bytes: UnsafeRawBufferPointer) {
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

    private static let hasInstruction = cvr_crc32c_has_instruction() != 0

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

/// Polynomials over GF(2) modulo the checksum's own, the coefficient of x⁰ in the highest bit.
///
/// Bytes that follow multiply what a checksum stands for by x to the number of their bits: as in zlib's crc32_combine.
extension CRC32C {
    private static let polynomial: UInt32 = 0x82F6_3B78

    private static func multiplied(_ left: UInt32, _ right: UInt32) -> UInt32 {
        var (product, shifted) = (UInt32(0), right)
        for bit in stride(from: 31, through: 0, by: -1) {
            if left >> UInt32(bit) & 1 == 1 { product ^= shifted }
            shifted = shifted & 1 == 1 ? shifted >> 1 ^ polynomial : shifted >> 1
        }
        return product
    }

    /// x to the power of 8 · `count`.
    private static func shift(by count: Int64) -> UInt32 {
        var (power, square, rest) = (UInt32(1) << 31, UInt32(1) << 23, UInt64(clamping: count))
        while rest > 0 {
            if rest & 1 == 1 { power = multiplied(square, power) }
            square = multiplied(square, square)
            rest >>= 1
        }
        return power
    }
}
