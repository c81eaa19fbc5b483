internal import CLibAV
internal import Recording

/// Sorts what a camera offers into what is recorded and what is not: the first video and the first audio stream.
struct StreamOffer {
    private(set) var video: (index: Int32, description: StreamDescription)?
    private(set) var audio: (index: Int32, description: StreamDescription)?
    private(set) var ignored: [String] = []
    private var offersVideo = false

    /// Video is offered, and none of it can be recorded: sound alone is not what was asked for.
    var lacksVideo: Bool { offersVideo && video == nil }

    var streams: [StreamDescription] { [video, audio].compactMap { $0?.description } }

    var indices: [Int32: Int] {
        let order = [video, audio].compactMap { $0?.index }
        return Dictionary(order.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
    }

    mutating func add(_ stream: AVStream) {
        guard let parameters = stream.codecpar?.pointee else { return }
        let isVideo = parameters.codec_type == AVMEDIA_TYPE_VIDEO
        guard isVideo || parameters.codec_type == AVMEDIA_TYPE_AUDIO else { return }
        offersVideo = offersVideo || isVideo
        guard let description = Self.description(stream, parameters) else {
            ignored.append(String(cString: avcodec_get_name(parameters.codec_id)))
            return
        }
        if isVideo, video == nil {
            video = (stream.index, description)
        } else if !isVideo, audio == nil {
            audio = (stream.index, description)
        }
    }

    private static func description(_ stream: AVStream, _ parameters: AVCodecParameters) -> StreamDescription? {
        guard let codec = codec(parameters.codec_id), stream.time_base.num > 0 else { return nil }
        var configuration: [UInt8] = []
        if let extra = parameters.extradata, (1...65536).contains(parameters.extradata_size) {
            configuration = Array(UnsafeBufferPointer(start: extra, count: Int(parameters.extradata_size)))
        }
        let clockRate = Int64(stream.time_base.den) / Int64(stream.time_base.num)
        guard (1...10_000_000).contains(clockRate) else { return nil }
        guard !codec.isVideo else {
            return StreamDescription(codec: codec, clockRate: clockRate, configuration: configuration)
        }
        // A description without a channel count means one (RFC 8866 6.6).
        let channels = min(max(Int(parameters.ch_layout.nb_channels), 1), 64)
        let sampleRate = parameters.sample_rate > 0 ? Int64(parameters.sample_rate) : clockRate
        return StreamDescription(
            codec: codec, clockRate: clockRate, channels: channels, sampleRate: sampleRate,
            configuration: configuration)
    }

    private static func codec(_ id: AVCodecID) -> Codec? {
        switch id {
        case AV_CODEC_ID_H264: .h264
        case AV_CODEC_ID_HEVC: .h265
        case AV_CODEC_ID_AAC: .aac
        case AV_CODEC_ID_OPUS: .opus
        case AV_CODEC_ID_PCM_ALAW: .alaw
        case AV_CODEC_ID_PCM_MULAW: .ulaw
        default: nil
        }
    }
}
