internal import CLibAV

/// Sound, uncompressed, on the ticks of its sample rate.
struct Sound {
    /// Samples a second, which are also the ticks of its times.
    var rate: Int32
    var channels: Int
    /// The decode time of the first sample, in ticks.
    var start: Int64
    /// For each channel the samples, -1...1; silence where some were lost.
    var samples: [[Float]]
}

/// Decodes a G.711 track, each sample at its place in time.
enum SoundReader {
    private static let codecs: Set<AVCodecID> = [AV_CODEC_ID_PCM_ALAW, AV_CODEC_ID_PCM_MULAW]
    private static let rates: ClosedRange<Int32> = 8000...96000

    /// `span` is of media time, in microseconds: then there is silence where nothing was recorded of it.
    static func all(of file: MediaFile, around span: Range<Int64>? = nil) throws(PreviewFailure) -> Sound {
        let stream = try file.stream(codecs, called: "G.711 sound")
        let decoder = try CodecContext.decoder(of: stream)
        let parameters = stream.parameters.pointee
        let channels = Int(parameters.ch_layout.nb_channels)
        guard rates.contains(parameters.sample_rate), (1...2).contains(channels) else {
            throw PreviewFailure(
                .unsupported, "G.711 with \(channels) channels at \(parameters.sample_rate) samples a second")
        }
        var sound = try span.map { span throws(PreviewFailure) in
            try Sound(before: span.lowerBound, rate: parameters.sample_rate, channels: channels)
        }
        try file.packets(of: stream) { packet throws(PreviewFailure) in
            guard packet.pointee.dts != CAV_NOPTS, decoder.send(packet: packet) else { return true }
            let time = av_rescale_q(
                packet.pointee.dts, stream.timeBase, AVRational(num: 1, den: parameters.sample_rate))
            if sound == nil {
                sound = Sound(
                    rate: parameters.sample_rate, channels: channels, start: time,
                    samples: Array(repeating: [], count: channels))
            }
            while let frame = decoder.receiveFrame() { try sound?.append(frame, at: time) }
            return true
        }
        if let span { try sound?.fill(beyond: span.upperBound) }
        guard let sound, sound.samples[0].count > 0 else { throw PreviewFailure(.damaged, "no sound can be decoded") }
        return sound
    }
}

extension Sound {
    /// None yet: it is to begin some frames of AAC before a time in microseconds, so that an encoder is under way by then.
    fileprivate init(before time: Int64, rate: Int32, channels: Int) throws(PreviewFailure) {
        let ticks = av_rescale(time, Int64(rate), 1_000_000)
        let (start, overflow) = ticks.subtractingReportingOverflow(Int64(AACEncoder.frameLength) * 4)
        guard !overflow else { throw PreviewFailure(.usage, "no media time: \(time)") }
        self.init(rate: rate, channels: channels, start: start, samples: Array(repeating: [], count: channels))
    }

    /// Silence until an encoder has all that it needs of what ends at a time in microseconds.
    fileprivate mutating func fill(beyond time: Int64) throws(PreviewFailure) {
        let (count, overflow) = av_rescale(time, Int64(rate), 1_000_000).subtractingReportingOverflow(start)
        guard !overflow, count <= Int64(PreviewLimits.longestSound) * Int64(rate) else { throw .tooLong }
        let missing = max(0, Int(count) + AACEncoder.frameLength * 2 - samples[0].count)
        for channel in samples.indices { samples[channel] += repeatElement(0, count: missing) }
    }

    /// Puts decoded samples where they belong: a hole becomes silence, what comes twice is taken once.
    mutating func append(_ frame: Frame, at time: Int64) throws(PreviewFailure) {
        guard let frame = frame.pointer?.pointee, frame.format == AV_SAMPLE_FMT_S16.rawValue,
            Int(frame.ch_layout.nb_channels) == channels, frame.nb_samples > 0, let data = frame.extended_data[0]
        else { return }
        let count = Int(frame.nb_samples)
        let (place, overflow) = time.subtractingReportingOverflow(start)
        guard !overflow, place <= Int64(PreviewLimits.longestSound) * Int64(rate) else { throw .tooLong }
        // All of it is before what is wanted.
        guard place > -Int64(count) else { return }
        let held = samples[0].count
        let hole = max(Int(clamping: place) - held, 0)
        // Some ticks of jitter are the camera's, and no reason to cut.
        let known = min(max(held - Int(clamping: place), 0), count)
        let interleaved = UnsafeRawBufferPointer(start: data, count: count * channels * 2)
        for channel in 0..<channels {
            samples[channel] += repeatElement(0, count: hole)
            for index in known..<count {
                let value = interleaved.loadUnaligned(fromByteOffset: (index * channels + channel) * 2, as: Int16.self)
                samples[channel].append(Float(value) / 32768)
            }
        }
    }
}

extension PreviewFailure {
    fileprivate static let tooLong = PreviewFailure(
        .tooLarge, "sound of more than \(PreviewLimits.longestSound) s")
}
