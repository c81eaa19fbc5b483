package import Recording

/// A complete group of parameter sets: what a decoder needs before a keyframe.
///
/// Equal when the same NAL units are in it, whatever their order.
package struct VideoParameterSets: Hashable, Sendable {
    package let codec: Codec
    /// Displayed size, cropping applied.
    package let width: Int
    package let height: Int
    /// Frames per second as the bitstream announces them: a hint.
    package let frameRate: Double?
    /// Pictures that may precede a picture in decoding order and follow it in output; nil when not said.
    package let reorderDepth: Int?
    /// RFC 6381.
    package let codecString: String

    /// Nil when a set is missing or invalid.
    package init?(codec: Codec, annexB: [UInt8]) {
        nil
    }

    /// These sets with the ones in `annexB` put in, an equal id replacing; nil when the result is invalid.
    package func updated(by annexB: [UInt8]) -> VideoParameterSets? {
        nil
    }
}
