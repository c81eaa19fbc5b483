internal import CLibAV

/// One picture as a JPEG file.
enum JPEGEncoder {
    /// Of 2, the best, to 31: some 12 KB for 320 x 180.
    private static let quantizer: Int32 = 4

    static func encode(_ picture: Frame) throws(PreviewFailure) -> [UInt8] {
        guard let frame = picture.pointer else { throw PreviewFailure(.engine, "out of memory") }
        let encoder = try CodecContext.encoder(AV_CODEC_ID_MJPEG) { context in
            (context.width, context.height) = (frame.pointee.width, frame.pointee.height)
            context.pix_fmt = AV_PIX_FMT_YUVJ420P
            context.color_range = AVCOL_RANGE_JPEG
            context.time_base = AVRational(num: 1, den: 25)
            context.flags |= AV_CODEC_FLAG_QSCALE
            context.global_quality = quantizer * FF_QP2LAMBDA
        }
        frame.pointee.pts = 0
        frame.pointee.quality = quantizer * FF_QP2LAMBDA
        var bytes: [UInt8] = []
        for input in [picture, nil] {
            try encoder.encode(input) { packet in
                bytes += UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size))
            }
        }
        guard !bytes.isEmpty else { throw PreviewFailure(.engine, "the picture cannot be encoded") }
        return bytes
    }
}
