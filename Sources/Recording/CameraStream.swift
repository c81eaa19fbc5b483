/// One elementary stream as a camera announced it (RFC 8866 media description).
package struct StreamDescription: Hashable, Sendable {
    package var codec: Codec
    /// RTP clock rate in Hz: the unit of `Packet.timestamp`.
    package var clockRate: Int64
    /// Audio channels; 0 for video.
    package var channels: Int
    /// Audio samples per second; 0 for video.
    package var sampleRate: Int64
    /// Out-of-band configuration: Annex B parameter sets for video, AudioSpecificConfig for AAC; may be empty.
    package var configuration: [UInt8]

    package init(codec: Codec, clockRate: Int64, channels: Int = 0, sampleRate: Int64 = 0, configuration: [UInt8] = [])
    {
        self.codec = codec
        self.clockRate = clockRate
        self.channels = channels
        self.sampleRate = sampleRate
        self.configuration = configuration
    }
}

/// One access unit as it came from a camera.
package struct Packet: Hashable, Sendable {
    /// Index into the source's stream descriptions.
    package var stream: Int
    /// Unwrapped presentation time in the stream's clock; nil when the camera gave none.
    package var timestamp: Int64?
    /// Timestamp of the access unit after this one, when the source has seen it begin.
    package var following: Int64?
    /// The camera's own clock for this packet (RTCP sender report), when it sent one.
    package var cameraTime: WallTime?
    package var isKey: Bool
    /// Video: an Annex B access unit; audio: one raw frame (AAC without ADTS), or G.711 bytes.
    package var data: [UInt8]

    package init(
        stream: Int, timestamp: Int64?, following: Int64? = nil, cameraTime: WallTime? = nil, isKey: Bool, data: [UInt8]
    ) {
        self.stream = stream
        self.timestamp = timestamp
        self.following = following
        self.cameraTime = cameraTime
        self.isKey = isKey
        self.data = data
    }
}
