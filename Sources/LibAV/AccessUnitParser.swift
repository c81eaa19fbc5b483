internal import CLibAV
internal import Recording

/// Puts a video stream's RTP payloads together to access units, which end where the next one begins.
///
/// libavformat would do it too, but at the end of a connection it hands out what it holds as if it were whole, and
/// its buffer has no bound (I9).
final class AccessUnitParser {
    private let codec: AVCodecID
    private let timeBase: AVRational
    private var parser: UnsafeMutablePointer<AVCodecParserContext>?
    private var context: UnsafeMutablePointer<AVCodecContext>?
    /// Fed since the last access unit came out.
    private var held = 0
    /// A payload's timestamp, and the camera's clock for it.
    private var reference: (timestamp: Int64, cameraTime: WallTime)?

    init?(_ stream: AVStream) {
        guard let parameters = stream.codecpar else { return nil }
        codec = parameters.pointee.codec_id
        timeBase = stream.time_base
        context = avcodec_alloc_context3(nil)
        guard let context, avcodec_parameters_to_context(context, parameters) >= 0 else { return nil }
        parser = av_parser_init(Int32(bitPattern: codec.rawValue))
        guard parser != nil else { return nil }
    }

    deinit {
        av_parser_close(parser)
        avcodec_free_context(&context)
    }

    /// Takes one payload; returns the access units that it shows to be whole.
    func feed(_ packet: AVPacket, cameraTime: WallTime?, stream: Int) -> [SourceEvent] {
        guard let parser, let context, var data = packet.data, packet.size > 0 else { return [] }
        if let cameraTime, packet.pts != CAV_NOPTS { reference = (packet.pts, cameraTime) }
        let payloadTime = packet.pts == CAV_NOPTS ? nil : packet.pts
        var events: [SourceEvent] = []
        var (left, timestamp) = (packet.size, packet.pts)
        while left > 0 {
            var unit: UnsafeMutablePointer<UInt8>?
            var size: Int32 = 0
            let used = av_parser_parse2(parser, context, &unit, &size, data, left, timestamp, CAV_NOPTS, 0)
            guard used > 0 || size > 0 else { break }
            timestamp = CAV_NOPTS
            left -= used
            data += Int(used)
            held += Int(used)
            if let unit, size > 0 {
                held = Int(left)
                let unit = UnsafeBufferPointer(start: unit, count: Int(size))
                events.append(event(unit, parser.pointee, stream, endedBy: payloadTime))
            }
        }
        return held > LibAVSource.largestAccessUnit ? events + [startOver()] : events
    }

    /// `next` is the timestamp of the payload that showed the access unit to be whole: it begins the one after it,
    /// since the payloads of one access unit share theirs (RFC 6184 5.1).
    private func event(
        _ unit: UnsafeBufferPointer<UInt8>, _ state: AVCodecParserContext, _ stream: Int, endedBy next: Int64?
    ) -> SourceEvent {
        guard unit.count <= LibAVSource.largestAccessUnit else { return .oversized(bytes: unit.count) }
        let timestamp = state.pts == CAV_NOPTS ? nil : state.pts
        return .packet(
            Packet(
                stream: stream, timestamp: timestamp, following: next == timestamp ? nil : next,
                cameraTime: timestamp.flatMap { cameraTime(at: $0) },
                isKey: state.key_frame == 1, data: Array(unit)))
    }

    /// The access unit that comes out is older than the payload whose clock is known.
    private func cameraTime(at timestamp: Int64) -> WallTime? {
        guard let reference else { return nil }
        let ticks = timestamp.subtractingSaturated(reference.timestamp)
        let span = ticks.scaled(by: 1_000_000 * Int64(timeBase.num), over: Int64(timeBase.den))
        return reference.cameraTime + TimeSpan(microseconds: span)
    }

    /// Forgets an access unit that does not end.
    private func startOver() -> SourceEvent {
        defer { held = 0 }
        av_parser_close(parser)
        parser = av_parser_init(Int32(bitPattern: codec.rawValue))
        return .oversized(bytes: held)
    }
}
