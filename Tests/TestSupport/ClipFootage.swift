import Foundation
package import FragmentedMP4
package import Recording

/// Segments made of a camera clip at once, without a camera or a recorder: the bytes that a worker would have written.
package struct ClipFootage: Sendable {
    package let tracks: [Track]
    /// In the order of their decode times.
    package let samples: [Sample]

    private static let fragmentLength = 1.0

    /// The clip from the first key at or after `start` to the first one `seconds` later, or to its end.
    package init(_ name: String, from start: Double = 0, seconds: Double = 20) async throws {
        let clip = try await SourceClip.path(name)
        var tracks: [Track] = []
        var samples: [Sample] = []
        var range = start..<start + seconds
        for stream in try await Self.streams(clip) {
            let packets = try await Packets(clip, stream: tracks.count, codec: stream.codec)
            let track = try Track(stream: stream.described(by: packets.data.first ?? []))
            let all = packets.samples(track, at: tracks.count)
            if tracks.isEmpty { range = Self.betweenKeys(all, range, scale: Double(track.timescale)) }
            let from = Int64((range.lowerBound * Double(track.timescale)).rounded(.up))
            let to = Int64((range.upperBound * Double(track.timescale)).rounded(.up))
            samples += all.filter { $0.decodeTime >= from && $0.decodeTime < to }.map { sample in
                var sample = sample
                sample.decodeTime -= from
                return sample
            }
            tracks.append(track)
        }
        self.tracks = tracks
        self.samples = samples
    }

    /// Whole segments of one session whose first sample's UTC is `anchor`, rotated at the first key past each `length`
    /// seconds.
    package func segments(
        _ camera: CameraName, session: Int64, anchor: WallTime, length: Double
    ) throws -> [(start: WallTime, bytes: [UInt8])] {
        var groups: [[Sample]] = []
        var next = 0.0
        for sample in samples.sorted(by: { (seconds($0), $0.track) < (seconds($1), $1.track) }) {
            if sample.track == 0, sample.isSync, seconds(sample) >= next {
                groups.append([])
                next += length
            }
            guard !groups.isEmpty else { throw Missed("the footage does not start with a key") }
            groups[groups.count - 1].append(sample)
        }
        return groups.enumerated().map { counter, group in
            let info = SegmentInfo(
                camera: camera, id: SegmentID(session: session, counter: Int64(counter)), anchor: anchor,
                quality: .synchronised)
            var encoder = SegmentEncoder(tracks: tracks, info: info)
            let start = group.first.map(seconds) ?? 0
            let media = fragments(group).flatMap { encoder.fragment($0) }
            return (anchor + TimeSpan(seconds: start), encoder.initPart + media + encoder.trailer())
        }
    }

    private static func betweenKeys(_ samples: [Sample], _ range: Range<Double>, scale: Double) -> Range<Double> {
        let keys = samples.filter(\.isSync).map { Double($0.decodeTime) / scale }
        let start = keys.first { $0 >= range.lowerBound } ?? 0
        return start..<(keys.first { $0 >= range.upperBound } ?? 1000)
    }

    /// A fragment ends after a second, or with the next key picture.
    private func fragments(_ samples: [Sample]) -> [[Sample]] {
        var fragments: [[Sample]] = []
        var end = 0.0
        for sample in samples {
            let isKeyPicture = sample.track == 0 && sample.isSync && tracks[0].isVideo
            if fragments.isEmpty || isKeyPicture || seconds(sample) >= end {
                fragments.append([])
                end = seconds(sample) + Self.fragmentLength
            }
            fragments[fragments.count - 1].append(sample)
        }
        return fragments
    }

    private func seconds(_ sample: Sample) -> Double {
        Double(sample.decodeTime) / Double(tracks[sample.track].timescale)
    }

    private static func streams(_ clip: String) async throws -> [StreamDescription] {
        let entries = "stream=codec_name,sample_rate,channels"
        let done = try await run(
            "/usr/bin/ffprobe", ["-v", "error", "-show_entries", entries, "-of", "json", clip])
        struct Answer: Decodable {
            struct Stream: Decodable {
                let codec_name: String
                let sample_rate: String?
                let channels: Int?
            }
            let streams: [Stream]
        }
        let names: [String: Codec] = [
            "h264": .h264, "hevc": .h265, "aac": .aac, "opus": .opus, "pcm_alaw": .alaw, "pcm_mulaw": .ulaw,
        ]
        return try JSONDecoder().decode(Answer.self, from: done.output).streams.map { stream in
            guard let codec = names[stream.codec_name] else { throw Missed("\(clip) holds \(stream.codec_name)") }
            let rate = stream.sample_rate.flatMap { Int64($0) } ?? 90_000
            return StreamDescription(
                codec: codec, clockRate: rate, channels: stream.channels ?? 0, sampleRate: codec.isVideo ? 0 : rate)
        }
    }
}

extension StreamDescription {
    fileprivate func described(by packet: [UInt8]) -> StreamDescription {
        var copy = self
        // The clips' AAC is LC, 16 kHz, mono.
        copy.configuration = codec == .aac ? [0x14, 0x08] : codec.isVideo ? packet : []
        return copy
    }
}

/// One stream's packets as ffmpeg's demuxer takes them out of a clip.
private struct Packets {
    let codec: Codec
    let timeBase: Double
    let times: [(decode: Int64, present: Int64)]
    let data: [[UInt8]]

    init(_ clip: String, stream: Int, codec: Codec) async throws {
        self.codec = codec
        let folder = FileManager.default.temporaryDirectory.path
        let file = "\(folder)/packets-\(UUID().uuidString)"
        defer { unlink(file) }
        let filter = codec.isVideo ? ["-bsf:v", codec == .h264 ? "h264_mp4toannexb" : "hevc_mp4toannexb"] : []
        let copy = ["-map", "0:\(stream)", "-c", "copy"] + filter
        let done = try await run(
            "/usr/bin/ffmpeg",
            ["-nostdin", "-v", "error", "-i", clip] + copy + ["-f", "framecrc", "-"] + copy + ["-f", "data", file])
        var rest = [UInt8](try Data(contentsOf: URL(filePath: file)))[...]
        var times: [(decode: Int64, present: Int64)] = []
        var data: [[UInt8]] = []
        for line in done.text.split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            guard fields.count >= 6, let decode = Int64(fields[1]), let present = Int64(fields[2]),
                let size = Int(fields[4])
            else { throw Missed("ffmpeg prints '\(line)'") }
            times.append((decode, present))
            data.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        let base = done.text.split(separator: "\n").first { $0.hasPrefix("#tb") }?.split(separator: "/").last
        guard let base, let timeBase = Double(base), times.count > 1 else { throw Missed("\(clip): \(done.errors)") }
        self.timeBase = timeBase
        self.times = times
        self.data = data
    }

    /// From 0.
    func samples(_ track: Track, at index: Int) -> [Sample] {
        let scale = Double(track.timescale) / timeBase
        guard let first = times.first else { return [] }
        let ticks = times.map { Int64((Double($0.decode - first.decode) * scale).rounded()) }
        let delay = first.present - first.decode
        return times.indices.map { number in
            let unit = codec.isVideo ? AccessUnit(annexB: data[number], codec: codec) : nil
            let next = number + 1 < ticks.count ? ticks[number + 1] : 2 * ticks[number] - ticks[number - 1]
            let offset = times[number].present - times[number].decode - delay
            return Sample(
                track: index, decodeTime: ticks[number], duration: next - ticks[number],
                compositionOffset: Int64((Double(offset) * scale).rounded()), isSync: unit?.isKey ?? true,
                data: unit?.sample ?? data[number])
        }
    }
}
