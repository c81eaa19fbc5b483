extension SequenceParameters {
    /// H.265 §7.3.2.2.1; nil when it is cut short, out of range or empty.
    init?(h265 unit: ArraySlice<UInt8>) {
        var bits = BitReader(unit: unit.dropFirst(2))
        videoParameterSet = bits.bits(4)
        let subLayers = bits.bits(3)
        guard subLayers <= 6 else { return nil }
        temporalLayers = subLayers + 1
        isTemporallyNested = bits.flag()
        profileAndLevel = bits.bytes(12)
        Self.skipSubLayerProfiles(&bits, count: subLayers)
        id = bits.unsigned(upTo: 15)
        chromaFormat = bits.unsigned(upTo: 3)
        if chromaFormat == 3 { bits.skip(1) }
        width = bits.unsigned(upTo: Self.sizeLimit)
        height = bits.unsigned(upTo: Self.sizeLimit)
        crop(&bits, rowsPerUnit: 1)
        lumaDepth = 8 + bits.unsigned(upTo: 8)
        chromaDepth = 8 + bits.unsigned(upTo: 8)
        let orderBits = 4 + bits.unsigned(upTo: 12)
        for _ in (bits.flag() ? 0 : subLayers)...subLayers {
            bits.skipUnsigned(1)
            reorderDepth = bits.unsigned(upTo: 16)
            bits.skipUnsigned(1)
        }
        guard !bits.overran, width > 0, height > 0 else { return nil }
        Self.skipTools(&bits, orderBits: orderBits)
        if bits.flag() { readFrameRate(&bits) }
    }

    /// §7.3.3 behind the general profile, tier and level.
    private static func skipSubLayerProfiles(_ bits: inout BitReader, count: Int) {
        let present = (0..<count).map { _ in (profile: bits.flag(), level: bits.flag()) }
        if count > 0 { bits.skip(2 * (8 - count)) }
        for layer in present { bits.skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0)) }
    }

    /// Everything between the reordering depth and the usability information.
    private static func skipTools(_ bits: inout BitReader, orderBits: Int) {
        bits.skipUnsigned(6)
        if bits.flag(), bits.flag() { skipScalingLists(&bits) }
        bits.skip(2)
        if bits.flag() {
            bits.skip(8)
            bits.skipUnsigned(2)
            bits.skip(1)
        }
        skipReferenceSets(&bits)
        if bits.flag() {
            bits.skip(bits.unsigned(upTo: 32) * (orderBits + 1))
        }
        bits.skip(2)
    }

    /// §7.3.4.
    private static func skipScalingLists(_ bits: inout BitReader) {
        for size in 0..<4 {
            for _ in 0..<(size == 3 ? 2 : 6) {
                if bits.flag() {
                    bits.skipUnsigned(min(64, 1 << (4 + 2 * size)) + (size > 1 ? 1 : 0))
                } else {
                    bits.skipUnsigned(1)
                }
            }
        }
    }

    /// §7.3.7: a set may be told as a difference to the one before it, whose size is all that matters here.
    private static func skipReferenceSets(_ bits: inout BitReader) {
        var previous = 0
        for index in 0..<bits.unsigned(upTo: 64) where !bits.overran {
            if index > 0, bits.flag() {
                bits.skip(1)
                bits.skipUnsigned(1)
                previous = (0...previous).count { _ in bits.flag() || bits.flag() }
            } else {
                previous = bits.unsigned(upTo: 16) + bits.unsigned(upTo: 16)
                for _ in 0..<previous {
                    bits.skipUnsigned(1)
                    bits.skip(1)
                }
            }
        }
    }

    /// §E.2.1 up to the frame rate.
    private mutating func readFrameRate(_ bits: inout BitReader) {
        Self.skipVideoSignal(&bits)
        bits.skip(3)
        if bits.flag() { bits.skipUnsigned(4) }
        guard bits.flag() else { return }
        frameRate = Self.rate(ticks: bits.bits(32), perSecond: bits.bits(32), ticksPerFrame: 1)
    }
}
