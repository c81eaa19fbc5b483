internal import CLibAV

/// One decoder or encoder of libavcodec's, on our only thread.
final class CodecContext {
    private(set) var pointer: UnsafeMutablePointer<AVCodecContext>?

    /// Not open yet: `set` is where its owner says what it is for.
    private init(
        _ codec: UnsafePointer<AVCodec>?, _ name: String, _ set: (inout AVCodecContext) -> Int32
    ) throws(PreviewFailure) {
        guard let codec else { throw PreviewFailure(.unsupported, "this libavcodec has no \(name)") }
        pointer = avcodec_alloc_context3(codec)
        guard let pointer else { throw PreviewFailure(.engine, "out of memory") }
        pointer.pointee.thread_count = 1
        pointer.pointee.max_pixels = PreviewLimits.mostPixels
        guard set(&pointer.pointee) >= 0, avcodec_open2(pointer, codec, nil) >= 0 else {
            throw PreviewFailure(.damaged, "no \(name) for these parameters")
        }
    }

    static func decoder(of stream: MediaStream) throws(PreviewFailure) -> CodecContext {
        let id = stream.parameters.pointee.codec_id
        return try CodecContext(avcodec_find_decoder(id), String(cString: avcodec_get_name(id))) { context in
            avcodec_parameters_to_context(&context, stream.parameters)
        }
    }

    static func encoder(
        _ id: AVCodecID, _ set: (inout AVCodecContext) -> Void
    ) throws(PreviewFailure) -> CodecContext {
        try CodecContext(avcodec_find_encoder(id), String(cString: avcodec_get_name(id))) { context in
            set(&context)
            return 0
        }
    }

    deinit { avcodec_free_context(&pointer) }

    /// Gives a decoder a packet, nil for the end; false when it is damaged.
    func send(packet: UnsafeMutablePointer<AVPacket>?) -> Bool { avcodec_send_packet(pointer, packet) >= 0 }

    /// What a decoder has ready.
    func receiveFrame() -> Frame? {
        let frame = Frame()
        guard let pointer = frame.pointer, avcodec_receive_frame(self.pointer, pointer) >= 0 else { return nil }
        return frame
    }

    /// As after opening, for the packets behind an end.
    func flush() { avcodec_flush_buffers(pointer) }

    /// Gives an encoder a frame, nil for the end, and hands on what it has ready; a packet is only there during the call.
    func encode(
        _ frame: Frame?, _ take: (UnsafeMutablePointer<AVPacket>) throws(PreviewFailure) -> Void
    ) throws(PreviewFailure) {
        var packet = av_packet_alloc()
        defer { av_packet_free(&packet) }
        guard let packet, avcodec_send_frame(pointer, frame?.pointer) >= 0 else {
            throw PreviewFailure(.engine, "the encoder takes no more")
        }
        while avcodec_receive_packet(pointer, packet) >= 0 {
            defer { av_packet_unref(packet) }
            try take(packet)
        }
    }
}

/// One picture, or some samples of sound, uncompressed.
final class Frame {
    private(set) var pointer: UnsafeMutablePointer<AVFrame>? = av_frame_alloc()

    deinit { av_frame_free(&pointer) }

    /// Makes room for what its fields say.
    static func allocate(_ set: (inout AVFrame) -> Void) throws(PreviewFailure) -> Frame {
        let frame = Frame()
        guard let pointer = frame.pointer else { throw PreviewFailure(.engine, "out of memory") }
        set(&pointer.pointee)
        guard av_frame_get_buffer(pointer, 0) >= 0 else { throw PreviewFailure(.engine, "out of memory") }
        return frame
    }
}
