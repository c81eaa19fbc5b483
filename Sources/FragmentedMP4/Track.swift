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
    /// Ticks per second of the track's media time: 90000 for video, the sample rate for audio.
    package let timescale: Int64
    /// 0 for video.
    package let channels: Int

    /// Throws when the stream cannot be recorded as announced.
    ///
    /// Without `parameterSets` a video stream's configuration must hold them.
    package init(stream: StreamDescription, parameterSets: VideoParameterSets? = nil) throws(MP4Error) {
        let rate = stream.sampleRate > 0 ? stream.sampleRate : stream.clockRate
        switch stream.codec {
        case .h264, .h265:
            let sets = parameterSets ?? VideoParameterSets(codec: stream.codec, annexB: stream.configuration)
            guard let sets, sets.codec == stream.codec else {
                throw .unusable("\(stream.codec.rawValue) without valid parameter sets")
            }
            self.init(format: .video(sets), timescale: 90000, channels: 0)
        case .aac:
            guard let announced = AudioConfiguration(stream.configuration), stream.configuration.count <= 1024 else {
                throw .unusable("aac without a valid AudioSpecificConfig")
            }
            try self.init(
                audio: .aac(config: stream.configuration), rate: rate > 0 ? rate : announced.sampleRate,
                channels: stream.channels > 0 ? stream.channels : announced.channels)
        // Its clock is 48 kHz whatever was sampled (RFC 7587 §4.1).
        case .opus: try self.init(audio: .opus, rate: 48000, channels: stream.channels)
        case .alaw: try self.init(audio: .alaw, rate: rate, channels: stream.channels)
        case .ulaw: try self.init(audio: .ulaw, rate: rate, channels: stream.channels)
        }
    }

    init(format: Format, timescale: Int64, channels: Int) {
        self.format = format
        self.timescale = timescale
        self.channels = channels
    }

    /// A camera that names no channel count has one; Opus beyond stereo needs a mapping that RTP does not carry.
    private init(audio format: Format, rate: Int64, channels: Int) throws(MP4Error) {
        self.init(format: format, timescale: rate, channels: max(1, channels))
        guard (1...768_000).contains(rate), self.channels <= (format == .opus ? 2 : 64) else {
            throw .unusable("\(codec.rawValue) with \(channels) channels at \(rate) Hz")
        }
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

    package var isVideo: Bool { codec.isVideo }

    /// RFC 6381; G.711 by its sample entry, which no registry lists.
    package var codecString: String {
        switch format {
        case .video(let sets): sets.codecString
        case .aac(let config): "mp4a.40.\(AudioConfiguration(config)?.objectType ?? 2)"
        case .opus, .alaw, .ulaw: codec.rawValue
        }
    }

    /// 0 for video.
    package var sampleRate: Int64 { isVideo ? 0 : timescale }

    /// 0 for audio.
    package var width: Int {
        guard case .video(let sets) = format else { return 0 }
        return sets.width
    }

    /// 0 for audio.
    package var height: Int {
        guard case .video(let sets) = format else { return 0 }
        return sets.height
    }
}

extension MP4Error {
    fileprivate static func unusable(_ what: String) -> MP4Error {
        MP4Error(
            "describe a track", what,
            nextStep: "set the camera's stream to H.264 or H.265 with AAC, Opus, G.711 or no audio")
    }
}
