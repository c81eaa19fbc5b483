internal import CLibAV

/// Decodes the first picture that can be shown.
enum PictureReader {
    private static let codecs: Set<AVCodecID> = [AV_CODEC_ID_H264, AV_CODEC_ID_HEVC]
    /// A fragment starts with a keyframe; some more are tried should that one be damaged.
    private static let mostAttempts = 8

    static func first(of file: MediaFile) throws(PreviewFailure) -> Frame {
        let stream = try file.stream(codecs, called: "H.264 or H.265 video")
        let decoder = try CodecContext.decoder(of: stream)
        var picture: Frame?
        var attempts = 0
        try file.packets(of: stream) { packet in
            attempts += 1
            // The end right behind it, else a decoder keeps what might be shown later than the pictures that follow.
            if decoder.send(packet: packet), decoder.send(packet: nil) { picture = decoder.receiveFrame() }
            decoder.flush()
            return picture == nil && attempts < mostAttempts
        }
        guard let picture else { throw PreviewFailure(.damaged, "no picture can be decoded") }
        return picture
    }
}
