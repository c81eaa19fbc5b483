package import Recording

/// One Annex B access unit, split into what goes into a sample and what goes into the sample entry.
package struct AccessUnit: Hashable, Sendable {
    /// NAL units behind 4-byte lengths, without parameter sets and access unit delimiters; empty when none is left.
    package private(set) var sample: [UInt8] = []
    /// Annex B of the parameter sets found in band; empty without any.
    package private(set) var parameterSets: [UInt8] = []
    /// Holds an IDR (H.264) or IRAP (H.265) picture.
    package private(set) var isKey = false

    package init(annexB: [UInt8], codec: Codec) {
    }
}
