import Recording

/// A multivariant playlist (rfc8216bis §4.4.6) of a camera whose sound no player of HLS plays as it was recorded: the
/// picture, and beside it the sound as AAC, chunk for chunk at the same times.
package struct HLSMultivariant {
    /// Of made AAC, in bits per second: two channels, each as cvr-preview encodes it.
    private static let soundRate: Int64 = 64_000

    let list: ChunkList
    /// References to the two media playlists.
    let video: String
    let audio: String
    /// Of the newest picture, in pixels.
    let size: (width: Int, height: Int)?

    package init(_ list: ChunkList, video: String, audio: String, size: (width: Int, height: Int)?) {
        self.list = list
        self.video = video
        self.audio = audio
        self.size = size
    }

    package var text: String {
        let hasVideo = formats.contains { $0.tracks.contains(where: \.isVideo) }
        var lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
        if hasVideo {
            lines.append(
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Sound\",DEFAULT=YES,AUTOSELECT=YES,URI=\"\(audio)\"")
        }
        lines.append("#EXT-X-STREAM-INF:" + attributes(hasVideo: hasVideo).joined(separator: ","))
        lines.append(hasVideo ? video : audio)
        return lines.joined(separator: "\n") + "\n"
    }

    private func attributes(hasVideo: Bool) -> [String] {
        var attributes = ["BANDWIDTH=\(peak)", "AVERAGE-BANDWIDTH=\(average)", "CODECS=\"\(codecs)\""]
        guard hasVideo else { return attributes }
        if let size { attributes.append("RESOLUTION=\(size.width)x\(size.height)") }
        if let frameRate { attributes.append("FRAME-RATE=\(frameRate)") }
        return attributes + ["AUDIO=\"sound\""]
    }

    private var all: [MediaChunk] { list.chunks + (list.open.map { [$0] } ?? []) }

    /// The first segment of each format.
    private var firsts: [SegmentRow] {
        all.enumerated().filter { $0.offset == 0 || $0.element.startsFormat }.map(\.element.piece.row)
    }

    private var formats: [MediaIndex] { firsts.map(\.media) }

    /// RFC 6381, of all formats, each once.
    private var codecs: String {
        let names = formats.flatMap { $0.codecs.split(separator: ",") }.map {
            Self.g711.contains($0) ? "mp4a.40.2" : $0
        }
        let unique = names.indices.filter { !names[..<$0].contains(names[$0]) }.map { names[$0] }
        return unique.joined(separator: ",")
    }

    private static let g711: Set<Substring> = ["alaw", "ulaw"]

    /// The bytes of a chunk hold all that was recorded, whichever track is played.
    private var peak: Int64 {
        all.reduce(1) { most, chunk in
            max(most, Self.rate(chunk.piece.bytes.length, chunk.piece.duration))
        }.addingSaturated(Self.soundRate)
    }

    private var average: Int64 {
        let bytes = all.reduce(Int64(0)) { $0.addingSaturated($1.piece.bytes.length) }
        let duration = all.reduce(TimeSpan.zero) { $0 + $1.piece.duration }
        return Self.rate(bytes, duration).addingSaturated(Self.soundRate)
    }

    private static func rate(_ bytes: Int64, _ duration: TimeSpan) -> Int64 {
        bytes.scaled(by: 8_000_000, over: max(1, duration.microseconds))
    }

    /// The highest of all formats; nil of segments too short to tell.
    private var frameRate: String? {
        let thousandths = firsts.filter { $0.duration >= .seconds(1) && $0.media.tracks.first?.isVideo ?? false }
            .map { $0.media.frames.scaled(by: 1_000_000_000, over: $0.duration.microseconds) }.max()
        return thousandths.map { "\($0 / 1000).\(padded(Int($0 % 1000), 3))" }
    }
}

extension ChunkList {
    /// Some of its sound no player of HLS plays.
    package var hasG711: Bool {
        (open.map { [$0] } ?? []).contains { $0.piece.row.media.tracks.contains(where: \.isG711) }
            || chunks.enumerated().contains { index, chunk in
                (index == 0 || chunk.startsFormat) && chunk.piece.row.media.tracks.contains(where: \.isG711)
            }
    }
}
