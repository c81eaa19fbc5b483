/// The fields of a sequence or picture parameter set that a recording needs, whichever codec it is of.
struct SequenceParameters: Hashable, Sendable {
    var id = 0
    /// Of the video parameter set it refers to; 0 for H.264.
    var videoParameterSet = 0
    var width = 0
    var height = 0
    var frameRate: Double?
    var reorderDepth: Int?
    var chromaFormat = 1
    var lumaDepth = 8
    var chromaDepth = 8
    /// As `avcC` (3 bytes) and `hvcC` (12 bytes) repeat it.
    var profileAndLevel: [UInt8] = []
    /// H.265 only.
    var temporalLayers = 1
    var isTemporallyNested = true

    /// Largest width and height taken, in pixels.
    static let sizeLimit = 16384
}

extension SequenceParameters {
    /// H.264 §7.3.2.1.1; nil when it is cut short, out of range or empty.
    init?(h264 unit: ArraySlice<UInt8>) {
        var bits = BitReader(unit: unit.dropFirst())
        profileAndLevel = bits.bytes(3)
        let profile = Int(profileAndLevel[0])
        let constraints = profileAndLevel[1]
        id = bits.unsigned(upTo: 31)
        if Self.highProfiles.contains(profile) { readHighProfile(&bits) }
        _ = bits.unsigned(upTo: 12)
        let orderType = Self.skipPictureOrder(&bits)
        _ = bits.unsigned(upTo: 16)
        bits.skip(1)
        readSize(&bits)
        guard !bits.overran, (1...Self.sizeLimit).contains(width), (1...Self.sizeLimit).contains(height) else {
            return nil
        }
        // Annex E: without the field, these two cannot reorder; others are bounded by the DPB only, which says nothing.
        let isIntraOnly = constraints & 0x10 != 0 && Self.intraProfiles.contains(profile)
        if profile == 66 || orderType == 2 || isIntraOnly { reorderDepth = 0 }
        if bits.flag() { readUsability(&bits) }
    }

    private static let highProfiles: Set<Int> = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]
    private static let intraProfiles: Set<Int> = [44, 86, 100, 110, 122, 244]

    private mutating func readHighProfile(_ bits: inout BitReader) {
        chromaFormat = bits.unsigned(upTo: 3)
        // separate_colour_plane_flag: the three planes are coded as monochrome; the crop units are those of 4:4:4.
        if chromaFormat == 3 { bits.skip(1) }
        lumaDepth = 8 + bits.unsigned(upTo: 6)
        chromaDepth = 8 + bits.unsigned(upTo: 6)
        bits.skip(1)
        guard bits.flag() else { return }
        for list in 0..<(chromaFormat == 3 ? 12 : 8) where bits.flag() {
            Self.skipScalingList(&bits, size: list < 6 ? 16 : 64)
        }
    }

    /// §7.3.2.1.1.1: deltas end where the scale becomes 0.
    private static func skipScalingList(_ bits: inout BitReader, size: Int) {
        var last = 8
        for _ in 0..<size {
            let next = (last + bits.signed()) & 0xFF
            guard next != 0 else { return }
            last = next
        }
    }

    private static func skipPictureOrder(_ bits: inout BitReader) -> Int {
        let type = bits.unsigned(upTo: 2)
        if type == 0 { bits.skipUnsigned(1) }
        if type == 1 {
            bits.skip(1)
            bits.skipUnsigned(2)
            bits.skipUnsigned(bits.unsigned(upTo: 255))
        }
        return type
    }

    private mutating func readSize(_ bits: inout BitReader) {
        let columns = bits.unsigned(upTo: Self.sizeLimit / 16) + 1
        let rows = bits.unsigned(upTo: Self.sizeLimit / 16) + 1
        let fields = bits.flag() ? 1 : 2
        if fields == 2 { bits.skip(1) }
        bits.skip(1)
        width = columns * 16
        height = rows * 16 * fields
        crop(&bits, rowsPerUnit: fields)
    }

    /// The cropping of H.264 §7.4.2.1.1 and the conformance window of H.265 §7.4.3.2.1: the same four numbers.
    mutating func crop(_ bits: inout BitReader, rowsPerUnit: Int) {
        guard bits.flag() else { return }
        let edges = (0..<4).map { _ in bits.unsigned(upTo: Self.sizeLimit) }
        width -= (edges[0] + edges[1]) * (chromaFormat == 1 || chromaFormat == 2 ? 2 : 1)
        height -= (edges[2] + edges[3]) * (chromaFormat == 1 ? 2 : 1) * rowsPerUnit
    }

    /// §E.1.1; what a broken tail would say is left unsaid.
    private mutating func readUsability(_ bits: inout BitReader) {
        Self.skipVideoSignal(&bits)
        if bits.flag() {
            frameRate = Self.rate(ticks: bits.bits(32), perSecond: bits.bits(32), ticksPerFrame: 2)
            bits.skip(1)
        }
        let hasDelay = [Self.skipBuffering(&bits), Self.skipBuffering(&bits)].contains(true)
        bits.skip(hasDelay ? 2 : 1)
        guard bits.flag() else { return }
        bits.skip(1)
        bits.skipUnsigned(4)
        let depth = bits.unsigned()
        if !bits.overran, depth <= 16 { reorderDepth = depth }
    }

    /// Aspect ratio to chroma location, which open the usability information of both codecs alike.
    static func skipVideoSignal(_ bits: inout BitReader) {
        if bits.flag(), bits.bits(8) == 255 { bits.skip(32) }
        if bits.flag() { bits.skip(1) }
        if bits.flag() {
            bits.skip(4)
            if bits.flag() { bits.skip(24) }
        }
        if bits.flag() { bits.skipUnsigned(2) }
    }

    static func rate(ticks: Int, perSecond: Int, ticksPerFrame: Double) -> Double? {
        guard ticks > 0, perSecond > 0 else { return nil }
        let rate = Double(perSecond) / (Double(ticks) * ticksPerFrame)
        return (0.01...1000).contains(rate) ? rate : nil
    }

    /// §E.1.2, with the flag that announces it.
    private static func skipBuffering(_ bits: inout BitReader) -> Bool {
        guard bits.flag() else { return false }
        let count = bits.unsigned(upTo: 31) + 1
        bits.skip(8)
        for _ in 0..<count {
            bits.skipUnsigned(2)
            bits.skip(1)
        }
        bits.skip(20)
        return true
    }
}
