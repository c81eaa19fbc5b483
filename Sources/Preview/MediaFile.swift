internal import CLibAV
internal import CLinux

/// An init part and fragments in memory, as libavformat's demuxer of MP4 reads them: nothing is opened by name.
///
/// Every byte is taken as hostile; what libavformat makes of it is checked before it is used.
final class MediaFile {
    private let bytes: [UInt8]
    private var position = 0
    private var input: UnsafeMutablePointer<AVIOContext>?
    private var context: UnsafeMutablePointer<AVFormatContext>?
    private var packet: UnsafeMutablePointer<AVPacket>?

    private static let bufferSize = 1 << 16

    init(_ bytes: [UInt8]) throws(PreviewFailure) {
        self.bytes = bytes
        packet = av_packet_alloc()
        context = avformat_alloc_context()
        let buffer = av_malloc(Self.bufferSize)?.assumingMemoryBound(to: UInt8.self)
        // Holds no reference: we own the context that calls us.
        input = avio_alloc_context(
            buffer, Int32(Self.bufferSize), 0, Unmanaged.passUnretained(self).toOpaque(),
            { opaque, buffer, count in MediaFile.owner(opaque)?.read(into: buffer, count) ?? CAV_EOF }, nil,
            { opaque, offset, whence in MediaFile.owner(opaque)?.seek(offset, whence) ?? -1 })
        guard packet != nil, let context, input != nil else { throw PreviewFailure(.engine, "out of memory") }
        context.pointee.pb = input
        var options: OpaquePointer?
        defer { av_dict_free(&options) }
        // Times as recorded, whatever an edit list says.
        av_dict_set(&options, "ignore_editlist", "1", 0)
        // On failure libavformat frees the context.
        guard avformat_open_input(&self.context, "", av_find_input_format("mov"), &options) >= 0 else {
            throw PreviewFailure(.damaged, "not an init part")
        }
    }

    deinit {
        avformat_close_input(&context)
        if let input { av_freep(&input.pointee.buffer) }
        avio_context_free(&input)
        av_packet_free(&packet)
    }

    /// The first stream of one of the codecs; throws when there is none.
    func stream(_ codecs: Set<AVCodecID>, called name: String) throws(PreviewFailure) -> MediaStream {
        for index in 0..<Int(context?.pointee.nb_streams ?? 0) {
            guard let stream = context?.pointee.streams[index]?.pointee, let parameters = stream.codecpar,
                codecs.contains(parameters.pointee.codec_id)
            else { continue }
            return MediaStream(index: stream.index, timeBase: stream.time_base, parameters: parameters)
        }
        throw PreviewFailure(.unsupported, "no \(name)")
    }

    /// Hands the stream's packets to `take` in their order, until it says false or they end.
    ///
    /// A packet is only there during the call. What is damaged ends the file.
    func packets(
        of stream: MediaStream, _ take: (UnsafeMutablePointer<AVPacket>) throws(PreviewFailure) -> Bool
    ) throws(PreviewFailure) {
        guard let context, let packet else { return }
        while av_read_frame(context, packet) >= 0 {
            defer { av_packet_unref(packet) }
            guard packet.pointee.stream_index == stream.index, packet.pointee.size > 0 else { continue }
            guard try take(packet) else { return }
        }
    }

    private static func owner(_ opaque: UnsafeMutableRawPointer?) -> MediaFile? {
        opaque.map { Unmanaged<MediaFile>.fromOpaque($0).takeUnretainedValue() }
    }

    private func read(into buffer: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> Int32 {
        let count = min(Int(count), bytes.count - position)
        guard let buffer, count > 0 else { return CAV_EOF }
        bytes.withUnsafeBytes { all in
            UnsafeMutableRawPointer(buffer).copyMemory(
                from: all.baseAddress?.advanced(by: position) ?? UnsafeRawPointer(buffer), byteCount: count)
        }
        position += count
        return Int32(count)
    }

    private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        if whence & AVSEEK_SIZE != 0 { return Int64(bytes.count) }
        let base: Int
        switch whence & 3 {
        case SEEK_SET: base = 0
        case SEEK_CUR: base = position
        default: base = bytes.count
        }
        let (target, overflow) = Int64(base).addingReportingOverflow(offset)
        guard !overflow, target >= 0, target <= Int64(bytes.count) else { return -1 }
        position = Int(target)
        return target
    }
}

/// What libavformat says of one stream; the file owns the parameters.
struct MediaStream {
    var index: Int32
    var timeBase: AVRational
    var parameters: UnsafeMutablePointer<AVCodecParameters>
}
