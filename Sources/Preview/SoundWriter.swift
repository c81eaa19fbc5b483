internal import CLibAV

/// Encoded sound as an init part and one fragment, written by libavformat into memory.
enum SoundWriter {
    static func fragmentedMP4(_ sound: EncodedSound) throws(PreviewFailure) -> [UInt8] {
        var context: UnsafeMutablePointer<AVFormatContext>?
        defer { avformat_free_context(context) }
        guard avformat_alloc_output_context2(&context, nil, "mp4", nil) >= 0, let context,
            let stream = avformat_new_stream(context, nil), avio_open_dyn_buf(&context.pointee.pb) >= 0
        else { throw PreviewFailure(.engine, "out of memory") }
        let isWritten = write(sound, to: context, stream)
        var buffer: UnsafeMutablePointer<UInt8>?
        let count = avio_close_dyn_buf(context.pointee.pb, &buffer)
        context.pointee.pb = nil
        defer { av_free(buffer) }
        guard isWritten, count > 0 else { throw PreviewFailure(.engine, "the sound cannot be written") }
        return Array(UnsafeBufferPointer(start: buffer, count: Int(count)))
    }

    private static func write(
        _ sound: EncodedSound, to context: UnsafeMutablePointer<AVFormatContext>,
        _ stream: UnsafeMutablePointer<AVStream>
    ) -> Bool {
        guard avcodec_parameters_copy(stream.pointee.codecpar, sound.parameters) >= 0 else { return false }
        stream.pointee.time_base = AVRational(num: 1, den: sound.rate)
        context.pointee.avoid_negative_ts = 0
        var options: OpaquePointer?
        defer { av_dict_free(&options) }
        // `frag_discont`: decode times are the track's own, not counted from the first.
        av_dict_set(
            &options, "movflags", "empty_moov+default_base_moof+frag_custom+frag_discont+skip_trailer", 0)
        av_dict_set(&options, "use_editlist", "0", 0)
        guard avformat_write_header(context, &options) >= 0 else { return false }
        for frame in sound.frames {
            guard write(frame, to: context) else { return false }
        }
        return av_write_frame(context, nil) >= 0 && av_write_trailer(context) >= 0
    }

    private static func write(
        _ frame: EncodedSound.AACFrame, to context: UnsafeMutablePointer<AVFormatContext>
    ) -> Bool {
        var packet = av_packet_alloc()
        defer { av_packet_free(&packet) }
        guard let packet, av_new_packet(packet, Int32(clamping: frame.data.count)) >= 0 else { return false }
        UnsafeMutableRawPointer(packet.pointee.data)?.copyMemory(from: frame.data, byteCount: frame.data.count)
        (packet.pointee.pts, packet.pointee.dts) = (frame.time, frame.time)
        packet.pointee.duration = Int64(AACEncoder.frameLength)
        packet.pointee.flags |= AV_PKT_FLAG_KEY
        return av_write_frame(context, packet) >= 0
    }
}
