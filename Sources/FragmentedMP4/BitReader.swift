/// Reads the payload of a NAL unit bit by bit: H.264 §7.2 and §9.1, H.265 §7.2 and §9.2.
///
/// Past the end every field reads as zero and `overran` stays set: parsers check once, and bound every loop.
struct BitReader {
    private let payload: [UInt8]
    private var position = 0
    private(set) var overran = false

    /// Drops emulation prevention bytes.
    ///
    /// 4 KiB is far above what a parameter set needs, and bounds the work that a hostile one can cause.
    init(unit: ArraySlice<UInt8>) {
        var payload: [UInt8] = []
        var zeros = 0
        for byte in unit.prefix(4096) {
            if zeros >= 2 && byte == 3 {
                zeros = 0
                continue
            }
            zeros = byte == 0 ? zeros + 1 : 0
            payload.append(byte)
        }
        self.payload = payload
    }

    /// Takes bytes that carry no emulation prevention.
    init(verbatim bytes: [UInt8]) { payload = Array(bytes.prefix(4096)) }

    /// At most 64 bits.
    mutating func bits(_ count: Int) -> Int {
        guard count <= payload.count * 8 - position else {
            overran = true
            position = payload.count * 8
            return 0
        }
        var value: UInt64 = 0
        for _ in 0..<count {
            let bit = payload[position >> 3] >> UInt8(7 - position & 7) & 1
            value = value << 1 | UInt64(bit)
            position += 1
        }
        return Int(truncatingIfNeeded: value)
    }

    mutating func flag() -> Bool { bits(1) == 1 }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: bits(8)) } }

    mutating func skip(_ count: Int) {
        for _ in 0..<count / 64 { _ = bits(64) }
        _ = bits(count % 64)
    }

    /// An unsigned Exp-Golomb number below 2^32.
    mutating func unsigned() -> Int {
        var zeros = 0
        while !flag() {
            zeros += 1
            guard zeros < 32, !overran else {
                overran = true
                return 0
            }
        }
        return 1 << zeros - 1 + bits(zeros)
    }

    mutating func signed() -> Int {
        let code = unsigned()
        return code & 1 == 1 ? (code + 1) / 2 : -(code / 2)
    }

    /// An unsigned Exp-Golomb number that must not exceed `limit`; else the payload counts as overrun.
    mutating func unsigned(upTo limit: Int) -> Int {
        let value = unsigned()
        guard value <= limit else {
            overran = true
            return 0
        }
        return value
    }

    mutating func skipUnsigned(_ count: Int) {
        for _ in 0..<count { _ = unsigned() }
    }
}
