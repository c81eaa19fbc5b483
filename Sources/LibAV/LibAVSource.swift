internal import CLibAV
internal import Glibc
package import Recording

/// The first ingest engine: one camera's RTSP streams through libavformat.
///
/// Not thread-safe: the tick is called on the thread that is inside `open` or `next`. Its rtsps verifies no
/// certificate, which is why it must be allowed by name.
package final class LibAVSource {
    /// How a camera's packets come; over TLS always by TCP.
    package enum Transport: String, Sendable {
        /// `http`: RTSP in HTTP, with all packets in the answer to one GET.
        case tcp, udp, http
    }

    /// What to connect to.
    package struct Request: Sendable {
        /// `rtsp://` or `rtsps://`, without userinfo.
        package var url: String
        package var username: String
        /// Asked once, when the camera's address is built; the text goes to libavformat and nowhere else (I10).
        package var password: @Sendable () -> String
        package var transport: Transport
        package var acceptsUnverifiedTLS: Bool
        /// What the camera is not asked for is not set up.
        package var takesVideo = true
        package var takesAudio = true

        package init(
            url: String, username: String, password: @escaping @Sendable () -> String, transport: Transport,
            acceptsUnverifiedTLS: Bool
        ) {
            self.url = url
            self.username = username
            self.password = password
            self.transport = transport
            self.acceptsUnverifiedTLS = acceptsUnverifiedTLS
        }

        var media: [String] { [takesVideo ? "video" : nil, takesAudio ? "audio" : nil].compactMap(\.self) }
    }

    package static let connectLimit = TimeSpan.seconds(10)
    package static let stallLimit = TimeSpan.seconds(10)
    private static let probeLimit = TimeSpan.seconds(3)
    /// A larger access unit is dropped (I9).
    package static let largestAccessUnit = 16 << 20
    private static let largestAllocation = 64 << 20

    private let request: Request
    private let interrupt: Interrupt
    private let description = SessionDescription()
    private var context: UnsafeMutablePointer<AVFormatContext>?
    private var packet: UnsafeMutablePointer<AVPacket>?
    /// libavformat's stream index to ours.
    private var streams: [Int32: Int] = [:]
    /// Of the video streams.
    private var parsers: [Int32: AccessUnitParser] = [:]
    /// What one payload completed and nobody took yet.
    private var ready: [SourceEvent] = []

    package init(request: Request, now: @escaping () -> MonotonicTime) {
        self.request = request
        interrupt = Interrupt(now: now)
    }

    deinit { close() }

    /// Connects and asks the camera to play; nil when the tick asked for an end.
    ///
    /// `tick` is called many times a second while this and `next` block; true ends the block.
    package func open(tick: @escaping () -> Bool) throws(SourceFailure) -> Announcement? {
        close()
        // libavformat logs addresses with their userinfo (I10): nothing but the session description is heard.
        SessionDescription.hearNothingElse()
        description.forget()
        // A camera names the size of its answers, and libavformat believes it (I9).
        av_max_alloc(Self.largestAllocation)
        let address = try CameraAddress(request)
        interrupt.begin(limit: Self.connectLimit, tick: tick)
        guard let context = avformat_alloc_context(), let packet = av_packet_alloc() else {
            throw .engine("out of memory")
        }
        self.packet = packet
        context.pointee.interrupt_callback = interrupt.callback
        context.pointee.opaque = description.listener
        // Timestamps as the camera gave them: what libavformat would fill in hides what is wrong with them.
        context.pointee.flags |= AVFMT_FLAG_NOFILLIN | AVFMT_FLAG_NOPARSE
        var opened: UnsafeMutablePointer<AVFormatContext>? = context
        var options = OpenOptions(request)
        let result = address.text.withCString {
            avformat_open_input(&opened, $0, av_find_input_format("rtsp"), &options.dictionary)
        }
        // On failure libavformat has freed the context.
        self.context = opened
        guard result >= 0, let opened else {
            let cause = interrupt.cause
            close()
            if cause == .deadline { throw .timeout }
            if cause == nil { try fail(opening: result, address, tick) }
            return nil
        }
        guard let host = CameraAddress.host(opened.pointee.url.map { String(cString: $0) } ?? ""),
            host == CameraAddress.host(request.url)
        else {
            let elsewhere = opened.pointee.url.flatMap { CameraAddress.host(String(cString: $0)) }
            close()
            throw .redirected(elsewhere ?? "another host")
        }
        return try announcement(opened)
    }

    /// Returns when the tick asked for an end.
    private func fail(
        opening result: Int32, _ address: borrowing CameraAddress, _ tick: @escaping () -> Bool
    ) throws(SourceFailure) {
        // Whatever goes wrong with a tunnel, libavformat calls it EIO.
        guard request.transport == .http, result == cav_error(EIO) else { throw SourceFailure(opening: result) }
        interrupt.begin(limit: Self.probeLimit, tick: tick)
        let failure = TunnelProbe(address, interrupt.callback).failure()
        if interrupt.cause != .tick { throw failure }
    }

    /// Waits for the next packet, at most until the camera counts as silent.
    package func next() throws(SourceFailure) -> SourceEvent {
        guard let context, let packet else { throw .disconnected }
        interrupt.extend(limit: Self.stallLimit)
        while ready.isEmpty {
            let result = av_read_frame(context, packet)
            guard result >= 0 else {
                switch interrupt.cause {
                case .tick: return .interrupted
                case .deadline: throw .silent
                case nil: throw SourceFailure(reading: result)
                }
            }
            take(packet.pointee)
            av_packet_unref(packet)
        }
        return ready.removeFirst()
    }

    private func take(_ packet: AVPacket) {
        guard let stream = streams[packet.stream_index], packet.size > 0, let data = packet.data else { return }
        let cameraTime = Self.cameraTime(packet)
        if let parser = parsers[packet.stream_index] {
            ready += parser.feed(packet, cameraTime: cameraTime, stream: stream)
            return
        }
        ready.append(
            .packet(
                Packet(
                    stream: stream, timestamp: packet.pts == CAV_NOPTS ? nil : packet.pts, cameraTime: cameraTime,
                    isKey: true, data: Array(UnsafeBufferPointer(start: data, count: Int(packet.size))))))
    }

    /// Says goodbye (TEARDOWN) if that goes at once, and lets go of everything; any number of times.
    package func close() {
        interrupt.begin(limit: .milliseconds(500), tick: { false })
        avformat_close_input(&context)
        av_packet_free(&packet)
        streams = [:]
        parsers = [:]
        ready = []
    }

    private func announcement(_ context: UnsafeMutablePointer<AVFormatContext>) throws(SourceFailure) -> Announcement {
        var offer = StreamOffer()
        for index in 0..<Int(context.pointee.nb_streams) {
            guard let stream = context.pointee.streams[index] else { continue }
            offer.add(stream.pointee)
            if stream.pointee.codecpar?.pointee.codec_type == AVMEDIA_TYPE_VIDEO {
                parsers[Int32(index)] = AccessUnitParser(stream.pointee)
            }
        }
        streams = offer.indices
        guard !offer.streams.isEmpty, !offer.lacksVideo else {
            close()
            throw .unsupportedCodec(offer.ignored.isEmpty ? "no video or audio" : offer.ignored.joined(separator: ", "))
        }
        return Announcement(streams: offer.streams, ignored: offer.ignored, sessionDescription: description.text)
    }

    /// The camera's clock for a packet, from its last RTCP sender report.
    private static func cameraTime(_ packet: AVPacket) -> WallTime? {
        let data = (0..<Int(packet.side_data_elems)).lazy.compactMap { packet.side_data?[$0] }
            .first { $0.type == AV_PKT_DATA_PRFT }
        guard let data, let bytes = data.data, data.size >= MemoryLayout<AVProducerReferenceTime>.size else {
            return nil
        }
        let reference = UnsafeRawPointer(bytes).loadUnaligned(as: AVProducerReferenceTime.self)
        return WallTime(microseconds: reference.wallclock)
    }
}
