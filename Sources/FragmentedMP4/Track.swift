package import Recording

/// One track of a segment: everything that its sample entry says.
package struct Track: Hashable, Sendable {
    package enum Format: Hashable, Sendable {
        case video(VideoParameterSets)
        /// AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1.
        case aac(config: [UInt8])
        case opus, alaw, ulaw
    }

    package let format: Format
    /// Ticks per second of the track's media time.
    package let timescale: Int64
    /// 0 for video.
    package let channels: Int
    /// 0 for video.
    package let sampleRate: Int64

    /// Throws when the stream cannot be recorded as announced.
    ///
    /// Without `parameterSets` a video stream's configuration must hold them.
    package init(stream: StreamDescription, parameterSets: VideoParameterSets?) throws(MP4Error) {
        throw MP4Error("track", "", nextStep: "")
    }

    package var codec: Codec {
        switch format {
        case .video(let sets): sets.codec
        case .aac: .aac
        case .opus: .opus
        case .alaw: .alaw
        case .ulaw: .ulaw
        }
    }

    /// RFC 6381.
    package var codecString: String { "" }

    /// 0 for audio.
    package var width: Int { 0 }

    /// 0 for audio.
    package var height: Int { 0 }
}
