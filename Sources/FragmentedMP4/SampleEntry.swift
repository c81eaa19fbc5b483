import Recording

/// Sample entries: ISO/IEC 14496-12 §12, 14496-14 §6.7, 14496-15 §5.4 and §8.4, Opus in ISOBMFF §4.3.
extension Track {
    func writeSampleEntry(_ box: inout BoxWriter) {
        switch format {
        case .video(let sets):
            box.box(sets.codec == .h265 ? "hvc1" : "avc1") { entry in
                writeVisualFields(&entry)
                if sets.codec == .h265 {
                    entry.box("hvcC") { sets.writeH265Configuration(&$0) }
                } else {
                    entry.box("avcC") { sets.writeH264Configuration(&$0) }
                }
            }
        case .aac(let config):
            box.box("mp4a") { entry in
                writeAudioFields(&entry)
                entry.fullBox("esds") { Self.writeElementaryStreamDescriptor(&$0, config: config) }
            }
        case .opus:
            box.box("Opus") { entry in
                writeAudioFields(&entry)
                entry.box("dOps") { writeOpusConfiguration(&$0) }
            }
        // As QuickTime and FFmpeg have it: no registered entry for G.711 exists.
        case .alaw: box.box("alaw") { writeAudioFields(&$0) }
        case .ulaw: box.box("ulaw") { writeAudioFields(&$0) }
        }
    }

    private func writeVisualFields(_ entry: inout BoxWriter) {
        entry.zeros(6)
        entry.put(UInt16(1))
        entry.zeros(16)
        entry.put(UInt16(clamping: width))
        entry.put(UInt16(clamping: height))
        // 72 dpi, one frame per sample, no compressor name, 24 bits without alpha, no colour table.
        entry.put(UInt32(0x48_0000))
        entry.put(UInt32(0x48_0000))
        entry.zeros(4)
        entry.put(UInt16(1))
        entry.zeros(32)
        entry.put(UInt16(24))
        entry.put(UInt16.max)
    }

    /// 16.16 fixed point holds no rate above 65535: such a rate is 0 here and in the codec's own box.
    private func writeAudioFields(_ entry: inout BoxWriter) {
        entry.zeros(6)
        entry.put(UInt16(1))
        entry.zeros(8)
        entry.put(UInt16(clamping: channels))
        entry.put(UInt16(16))
        entry.zeros(4)
        entry.put(UInt32(UInt16(exactly: timescale) ?? 0) << 16)
    }

    /// ISO/IEC 14496-1 §7.2.6.5: MPEG-4 audio, buffer size and bit rates not said.
    private static func writeElementaryStreamDescriptor(_ box: inout BoxWriter, config: [UInt8]) {
        var decoder = BoxWriter()
        decoder.put([0x40, 0x15])
        decoder.zeros(11)
        decoder.putDescriptor(5, config)
        var stream = BoxWriter()
        stream.zeros(3)
        stream.putDescriptor(4, decoder.bytes)
        stream.putDescriptor(6, [2])
        box.putDescriptor(3, stream.bytes)
    }

    /// Pre-skip is 0: RTP announces none, and a segment is cut from the middle of a stream.
    ///
    /// A pre-skip of an encoder's usual 312 samples would make a player drop 6.5 ms of real sound at each segment's
    /// start and shift the rest against the video.
    private func writeOpusConfiguration(_ box: inout BoxWriter) {
        box.put(UInt8(0))
        box.put(UInt8(clamping: channels))
        box.put(UInt16(0))
        box.put(UInt32(48000))
        box.zeros(3)
    }

    /// Nil when a sample entry is not one that `writeSampleEntry` makes.
    init?(sampleEntry type: BoxType, _ body: BoxReader, timescale: Int64) {
        var entry = body
        entry.skip(8)
        switch type {
        case "avc1", "hvc1":
            entry.skip(70)
            let codec: Codec = type == "hvc1" ? .h265 : .h264
            guard let configuration = entry.child(codec == .h265 ? "hvcC" : "avcC"),
                let sets = VideoParameterSets(codec: codec, configuration: configuration), timescale == 90000
            else { return nil }
            self.init(format: .video(sets), timescale: timescale, channels: 0)
        case "mp4a", "Opus", "alaw", "ulaw":
            entry.skip(8)
            let channels = Int(entry.integer(UInt16.self))
            entry.skip(10)
            guard channels > 0, let format = Self.audioFormat(type, entry) else { return nil }
            self.init(format: format, timescale: timescale, channels: channels)
        default: return nil
        }
    }

    private static func audioFormat(_ type: BoxType, _ entry: BoxReader) -> Format? {
        switch type {
        case "mp4a": entry.child("esds").flatMap(audioSpecificConfig).map { .aac(config: $0) }
        case "Opus": entry.child("dOps") == nil ? nil : .opus
        case "alaw": .alaw
        default: .ulaw
        }
    }

    private static func audioSpecificConfig(_ box: BoxReader) -> [UInt8]? {
        var box = box
        box.skip(4)
        guard var stream = box.descriptor(3) else { return nil }
        stream.skip(3)
        guard var decoder = stream.descriptor(4) else { return nil }
        decoder.skip(13)
        guard let config = decoder.descriptor(5) else { return nil }
        return AudioConfiguration(Array(config.rest)) == nil ? nil : Array(config.rest)
    }
}

extension VideoParameterSets {
    /// `AVCDecoderConfigurationRecord`, ISO/IEC 14496-15 §5.3.3.1.
    fileprivate func writeH264Configuration(_ box: inout BoxWriter) {
        box.put(UInt8(1))
        box.put(sequence.profileAndLevel)
        box.put(UInt8(0xFC | 3))
        box.put(UInt8(0xE0) | UInt8(clamping: sequenceSets.count))
        sequenceSets.forEach { box.putCounted($0) }
        box.put(UInt8(clamping: pictureSets.count))
        pictureSets.forEach { box.putCounted($0) }
        guard let profile = sequence.profileAndLevel.first, ![66, 77, 88].contains(profile) else { return }
        box.put(UInt8(0xFC) | UInt8(clamping: sequence.chromaFormat))
        box.put(UInt8(0xF8) | UInt8(clamping: sequence.lumaDepth - 8))
        box.put(UInt8(0xF8) | UInt8(clamping: sequence.chromaDepth - 8))
        box.put(UInt8(0))
    }

    /// `HEVCDecoderConfigurationRecord`, ISO/IEC 14496-15 §8.3.3.1.
    ///
    /// Spatial segmentation, parallelism and frame rate are left at "unknown".
    fileprivate func writeH265Configuration(_ box: inout BoxWriter) {
        box.put(UInt8(1))
        box.put(sequence.profileAndLevel)
        box.put(UInt16(0xF000))
        box.put(UInt8(0xFC))
        box.put(UInt8(0xFC) | UInt8(clamping: sequence.chromaFormat))
        box.put(UInt8(0xF8) | UInt8(clamping: sequence.lumaDepth - 8))
        box.put(UInt8(0xF8) | UInt8(clamping: sequence.chromaDepth - 8))
        box.put(UInt16(0))
        let nested: UInt8 = sequence.isTemporallyNested ? 1 : 0
        box.put(UInt8(clamping: sequence.temporalLayers) << 3 | nested << 2 | 3)
        box.put(UInt8(3))
        // array_completeness: `hvc1` keeps every parameter set here and none in the samples.
        for (type, units) in [(UInt8(32), videoSets), (33, sequenceSets), (34, pictureSets)] {
            box.put(0x80 | type)
            box.put(UInt16(clamping: units.count))
            units.forEach { box.putCounted($0) }
        }
    }

    fileprivate init?(codec: Codec, configuration: BoxReader) {
        var box = configuration
        var annexB: [UInt8] = []
        if codec == .h264 {
            box.skip(5)
            annexB += box.counted(Int(box.integer(UInt8.self) & 0x1F))
            annexB += box.counted(Int(box.integer(UInt8.self)))
        } else {
            box.skip(22)
            for _ in 0..<box.integer(UInt8.self) {
                box.skip(1)
                annexB += box.counted(Int(box.integer(UInt16.self)))
            }
        }
        guard !box.overran else { return nil }
        self.init(codec: codec, annexB: annexB)
    }
}

extension BoxWriter {
    /// A NAL unit behind its 16-bit length.
    fileprivate mutating func putCounted(_ unit: [UInt8]) {
        put(UInt16(clamping: unit.count))
        put(unit)
    }

    /// ISO/IEC 14496-1 §8.3.3, its length in the four-byte form that players expect.
    fileprivate mutating func putDescriptor(_ tag: UInt8, _ body: [UInt8]) {
        put(tag)
        for shift in [21, 14, 7, 0] {
            put(UInt8(truncatingIfNeeded: body.count >> shift) & 0x7F | (shift > 0 ? 0x80 : 0))
        }
        put(body)
    }
}

extension BoxReader {
    /// NAL units behind 16-bit lengths, as Annex B.
    fileprivate mutating func counted(_ count: Int) -> [UInt8] {
        var annexB: [UInt8] = []
        for _ in 0..<count where !overran {
            annexB += AnnexB.startCode + take(Int(integer(UInt16.self)))
        }
        return annexB
    }

    fileprivate mutating func descriptor(_ tag: UInt8) -> BoxReader? {
        guard integer(UInt8.self) == tag else { return nil }
        var length = 0
        for _ in 0..<4 {
            let byte = integer(UInt8.self)
            length = length << 7 | Int(byte & 0x7F)
            if byte & 0x80 == 0 { break }
        }
        let body = take(length)
        return overran ? nil : BoxReader(body)
    }
}
