package import Recording

/// One Annex B access unit, split into what goes into a sample and what goes into the sample entry.
package struct AccessUnit: Hashable, Sendable {
    /// NAL units behind 4-byte lengths, without parameter sets and access unit delimiters; empty when none is left.
    package private(set) var sample: [UInt8] = []
    /// Annex B of the parameter sets found in band; empty without any.
    package private(set) var parameterSets: [UInt8] = []
    /// Holds an IDR (H.264) or IRAP (H.265) picture.
    package private(set) var isKey = false

    /// Takes any bytes: what is before the first start code, empty units and trailing zeros are dropped.
    package init(annexB: [UInt8], codec: Codec) {
        var sample = BoxWriter()
        sample.reserve(annexB.count + 64)
        AnnexB.forEachUnit(in: annexB) { unit in
            guard let kind = UnitKind(unit, isH265: codec == .h265) else { return }
            switch kind {
            case .videoParameterSet, .sequenceParameterSet, .pictureParameterSet:
                parameterSets += AnnexB.startCode + unit
            case .delimiter: break
            case .randomAccess, .other:
                isKey = isKey || kind == .randomAccess
                sample.put(UInt32(clamping: unit.count))
                sample.put(unit)
            }
        }
        self.sample = sample.bytes
    }
}
