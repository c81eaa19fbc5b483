import Checksums
import Testing

@Suite("CRC-32C")
struct CRC32CTests {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 3) }

    @Test("vectors of RFC 3720 B.4, in pieces of every size")
    func vectors() {
        #expect(CRC32C([UInt8](repeating: 0, count: 32)).value == 0x8A91_36AA)
        #expect(CRC32C([UInt8](repeating: 0xFF, count: 32)).value == 0x62A8_AB43)
        #expect(CRC32C((0..<32).map { UInt8($0) }).value == 0x46DD_794E)
        #expect(CRC32C("123456789".utf8).hex == "e3069283")
        for cut in 0...100 {
            var crc = CRC32C(bytes[..<cut])
            crc.update(bytes[cut...])
            #expect(crc == CRC32C(bytes))
        }
    }

    @Test("a processor without the instruction comes to the same")
    func sliced() {
        for start in 0..<9 {
            for end in [start, start + 1, start + 8, start + 31, 1000] {
                var crc = CRC32C()
                bytes[start..<end].withUnsafeBytes { crc.slice($0) }
                #expect(crc == CRC32C(bytes[start..<end]))
            }
        }
    }

    @Test("checksums of parts make that of the whole")
    func append() {
        for cut in [0, 1, 7, 8, 500, 999, 1000] {
            var crc = CRC32C(bytes[..<cut])
            crc.append(CRC32C(bytes[cut...]), count: Int64(1000 - cut))
            #expect(crc == CRC32C(bytes))
        }
        // Longer than any segment: to append nothing but zeros is to multiply.
        var whole = CRC32C([1])
        for _ in 0..<3 { whole.append(CRC32C([UInt8](repeating: 0, count: 1 << 20)), count: 1 << 20) }
        #expect(whole == CRC32C([1] + [UInt8](repeating: 0, count: 3 << 20)))
    }
}
