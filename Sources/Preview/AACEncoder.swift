internal import CLibAV

/// AAC frames of one sound, and the parameters of their track.
final class EncodedSound {
    struct AACFrame {
        /// In ticks of the sample rate; a multiple of 1024.
        var time: Int64
        var data: [UInt8]
    }

    let rate: Int32
    private(set) var parameters = avcodec_parameters_alloc()
    var frames: [AACFrame] = []

    init(rate: Int32) { self.rate = rate }

    /// Of adjacent spans, in microseconds, each frame is in one: all of a frame is heard by its end.
    func keep(endingIn span: Range<Int64>) {
        frames.removeAll { frame in
            let end = av_rescale(frame.time + Int64(AACEncoder.frameLength), 1_000_000, Int64(rate))
            return end <= span.lowerBound || end > span.upperBound
        }
    }

    deinit { avcodec_parameters_free(&parameters) }
}

/// Encodes sound as AAC-LC on a grid of frames that is the same for every part of a recording.
///
/// A frame starts at a multiple of 1024 samples of the track's own time, so that whoever plays parts one after another
/// puts equal frames at equal times: parts that overlap by two frames join without a click. What is before the first
/// place on the grid is left out, less than a frame.
enum AACEncoder {
    /// Samples in a frame of AAC-LC (ISO/IEC 14496-3 §4.5.2.1.1).
    static let frameLength = 1024
    private static let bitRate: Int64 = 32_000

    static func encode(_ sound: Sound) throws(PreviewFailure) -> EncodedSound {
        let encoder = try CodecContext.encoder(AV_CODEC_ID_AAC) { context in
            context.sample_rate = sound.rate
            context.sample_fmt = AV_SAMPLE_FMT_FLTP
            av_channel_layout_default(&context.ch_layout, Int32(sound.channels))
            context.bit_rate = bitRate * Int64(sound.channels)
            context.time_base = AVRational(num: 1, den: sound.rate)
            context.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
        }
        let result = EncodedSound(rate: sound.rate)
        guard let parameters = result.parameters,
            avcodec_parameters_from_context(parameters, encoder.pointer) >= 0
        else { throw PreviewFailure(.engine, "out of memory") }
        // The frame that only primes the decoder is left out below.
        parameters.pointee.initial_padding = 0
        let first = first(sound)
        let end = sound.start + Int64(sound.samples[0].count)
        func keep(_ packet: UnsafeMutablePointer<AVPacket>) {
            guard packet.pointee.pts >= first, packet.pointee.pts < end else { return }
            let data = Array(UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size)))
            result.frames.append(.init(time: packet.pointee.pts, data: data))
        }
        for time in stride(from: first, to: end, by: frameLength) {
            try encoder.encode(frame(sound, at: time)) { packet in keep(packet) }
        }
        try encoder.encode(nil) { packet in keep(packet) }
        guard !result.frames.isEmpty else { throw PreviewFailure(.damaged, "less sound than a frame") }
        return result
    }

    private static func first(_ sound: Sound) -> Int64 {
        let length = Int64(frameLength)
        let rest = sound.start % length
        return rest == 0 ? sound.start : sound.start - rest + (rest > 0 ? length : 0)
    }

    /// A whole frame; silence behind the last sample.
    private static func frame(_ sound: Sound, at time: Int64) throws(PreviewFailure) -> Frame {
        let frame = try Frame.allocate { frame in
            frame.format = AV_SAMPLE_FMT_FLTP.rawValue
            frame.sample_rate = sound.rate
            frame.nb_samples = Int32(frameLength)
            av_channel_layout_default(&frame.ch_layout, Int32(sound.channels))
        }
        frame.pointer?.pointee.pts = time
        let place = Int(clamping: time - sound.start)
        for (channel, samples) in sound.samples.enumerated() {
            guard let plane = frame.pointer?.pointee.extended_data[channel] else { continue }
            let values = samples[place..<min(place + frameLength, samples.count)]
            let silence = repeatElement(Float(0), count: frameLength - values.count)
            let target = UnsafeMutableRawBufferPointer(start: plane, count: frameLength * 4)
            Array(values + silence).withUnsafeBytes { target.copyMemory(from: $0) }
        }
        return frame
    }
}
