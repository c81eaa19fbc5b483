/// What an AudioSpecificConfig says first (ISO/IEC 14496-3 §1.6.2.1).
struct AudioConfiguration {
    let objectType: Int
    /// Samples per second of the decoder's output, spectral band replication included when it is announced.
    let sampleRate: Int64
    /// 0 when a program config element says it.
    let channels: Int

    /// Nil when it is cut short or out of range.
    init?(_ bytes: [UInt8]) {
        var bits = BitReader(verbatim: bytes)
        let type = Self.objectType(&bits)
        var rate = Self.sampleRate(&bits)
        let configuration = bits.bits(4)
        if type == 5 || type == 29 { rate = Self.sampleRate(&bits) }
        guard !bits.overran, type > 0, rate > 0 else { return nil }
        objectType = type
        sampleRate = Int64(rate)
        channels = configuration == 7 ? 8 : configuration
    }

    private static func objectType(_ bits: inout BitReader) -> Int {
        let type = bits.bits(5)
        return type == 31 ? 32 + bits.bits(6) : type
    }

    private static func sampleRate(_ bits: inout BitReader) -> Int {
        let index = bits.bits(4)
        if index == 15 { return bits.bits(24) }
        return rates.indices.contains(index) ? rates[index] : 0
    }

    private static let rates = [
        96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
    ]
}
