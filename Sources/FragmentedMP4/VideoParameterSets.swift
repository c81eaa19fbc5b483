package import Recording

/// A complete group of parameter sets: what a decoder needs before a keyframe.
///
/// Equal when the same NAL units are in it, whatever their order.
package struct VideoParameterSets: Hashable, Sendable {
    package let codec: Codec
    /// By id; of units that share an id the last one counts, as it does to a decoder.
    let videoSets: [[UInt8]]
    let sequenceSets: [[UInt8]]
    let pictureSets: [[UInt8]]
    let sequence: SequenceParameters

    /// Displayed size, cropping applied.
    package var width: Int { sequence.width }
    package var height: Int { sequence.height }
    /// Frames per second as the bitstream announces them: a hint.
    package var frameRate: Double? { sequence.frameRate }
    /// Pictures that may precede a picture in decoding order and follow it in output; nil when not said.
    package var reorderDepth: Int? { sequence.reorderDepth }

    /// Nil when a set is missing or invalid; units of other kinds are ignored.
    package init?(codec: Codec, annexB: [UInt8]) {
        self.init(codec: codec, annexB, then: [], inForce: nil)
    }

    private init?(codec: Codec, _ known: [UInt8], then news: [UInt8], inForce: Int?) {
        guard codec.isVideo else { return nil }
        var groups = ParameterSetGroups(isH265: codec == .h265)
        AnnexB.forEachUnit(in: known) { groups.take($0) }
        groups.newest = inForce
        AnnexB.forEachUnit(in: news) { groups.take($0) }
        if inForce == nil { groups.newest = nil }
        guard groups.isValid, groups.isStorable, let sequence = groups.active else { return nil }
        self.codec = codec
        self.sequence = sequence
        videoSets = groups.video.inOrder
        sequenceSets = groups.sequence.inOrder
        pictureSets = groups.picture.inOrder
    }

    /// These sets with the ones in `news` put in, an equal id replacing; nil when the result is invalid.
    ///
    /// What `news` refers to is in force then: a camera may change its picture under another id.
    package func updated(by news: [UInt8]) -> VideoParameterSets? {
        VideoParameterSets(codec: codec, annexB, then: news, inForce: sequence.id)
    }

    /// With 4-byte start codes, in decoding order.
    package var annexB: [UInt8] {
        [videoSets, sequenceSets, pictureSets].joined().flatMap { AnnexB.startCode + $0 }
    }
}

extension VideoParameterSets {
    /// RFC 6381 §3.3 for H.264, ISO/IEC 14496-15 annex E for H.265.
    package var codecString: String {
        codec == .h265 ? h265String : "avc1." + sequence.profileAndLevel.map(hex).joined()
    }

    private var h265String: String {
        let fields = sequence.profileAndLevel
        guard let first = fields.first, let level = fields.last else { return "hvc1" }
        let space = ["", "A", "B", "C"][Int(first >> 6)]
        let compatibility = fields.dropFirst().prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        var reversed: UInt32 = 0
        for bit in 0..<UInt32(32) where compatibility >> bit & 1 == 1 { reversed |= 1 << (31 - bit) }
        var constraints = fields.dropFirst(5).prefix(6)
        while constraints.last == 0 { constraints.removeLast() }
        let tail = constraints.map { "." + String($0, radix: 16, uppercase: true) }.joined()
        return "hvc1.\(space)\(first & 0x1F).\(String(reversed, radix: 16, uppercase: true))"
            + ".\(first & 0x20 == 0 ? "L" : "H")\(level)\(tail)"
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

/// Parameter sets as they are collected, by kind and id.
private struct ParameterSetGroups {
    let isH265: Bool
    private(set) var video: [Int: [UInt8]] = [:]
    private(set) var sequence: [Int: [UInt8]] = [:]
    private(set) var picture: [Int: [UInt8]] = [:]
    private(set) var isValid = true
    private var parsed: [Int: SequenceParameters] = [:]
    /// Sequence parameter set of each picture parameter set, and that of the last one taken.
    private var references: [Int: Int] = [:]
    var newest: Int?

    init(isH265: Bool) { self.isH265 = isH265 }

    /// Within the length and count fields of `avcC` and `hvcC`, and far above what any camera sends.
    var isStorable: Bool {
        let size = [video, sequence, picture].joined().reduce(0) { $0 + $1.value.count }
        return size <= 32 << 10 && sequence.count <= 31 && picture.count <= 255
    }

    /// The sequence parameter set that the newest picture parameter set refers to, else the first that any does, its own
    /// references whole.
    var active: SequenceParameters? {
        let referred = references.values.first { $0 == newest } ?? references.values.min()
        guard let id = referred, let sequence = parsed[id] else { return nil }
        return isH265 && video[sequence.videoParameterSet] == nil ? nil : sequence
    }

    mutating func take(_ unit: ArraySlice<UInt8>) {
        var bits = BitReader(unit: unit.dropFirst(isH265 ? 2 : 1))
        switch UnitKind(unit, isH265: isH265) {
        case .videoParameterSet:
            video[bits.bits(4)] = Array(unit)
        case .sequenceParameterSet:
            let parameters = isH265 ? SequenceParameters(h265: unit) : SequenceParameters(h264: unit)
            if let parameters {
                sequence[parameters.id] = Array(unit)
                parsed[parameters.id] = parameters
            }
            isValid = isValid && parameters != nil
        case .pictureParameterSet:
            let id = bits.unsigned(upTo: isH265 ? 63 : 255)
            newest = bits.unsigned(upTo: isH265 ? 15 : 31)
            references[id] = newest
            picture[id] = Array(unit)
        default: return
        }
        if bits.overran { isValid = false }
    }
}

extension [Int: [UInt8]] {
    fileprivate var inOrder: [[UInt8]] { sorted { $0.key < $1.key }.map(\.value) }
}
