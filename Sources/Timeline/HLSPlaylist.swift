import Recording

/// A media playlist of HTTP Live Streaming (RFC 8216, rfc8216bis) with fragmented MP4: chunks are byte ranges of their
/// segments' files, which are named relative to the asset.
package struct HLSPlaylist {
    package let list: ChunkList
    /// Added to each URL: `?token=…`.
    package let suffix: String
    /// Where the asset's `media` is, relative to the playlist.
    package let base: String
    /// Fragments of the newest chunks are listed too, and a player may wait for the next one.
    package let hasParts: Bool

    package init(_ list: ChunkList, suffix: String = "", base: String = "", hasParts: Bool = false) {
        self.list = list
        self.suffix = suffix
        self.base = base
        self.hasParts = hasParts
    }

    package var text: String {
        var text = head
        text.reserveCapacity(512 + list.chunks.count * 160)
        var lastRow: SegmentID?
        for (index, chunk) in list.chunks.enumerated() {
            announce(chunk, isFirst: index == 0, isNewRow: lastRow != chunk.piece.row.id, to: &text)
            lastRow = chunk.piece.row.id
            if hasParts, index >= list.chunks.count - Self.chunksWithParts { parts(of: chunk.piece, to: &text) }
            let bytes = chunk.piece.bytes
            text += "#EXTINF:\(chunk.piece.duration.decimal),\n"
            text += "#EXT-X-BYTERANGE:\(bytes.length)@\(bytes.lowerBound)\n"
            text += url(chunk.piece) + "\n"
        }
        if hasParts, let open = list.open {
            announce(open, isFirst: lastRow == nil, isNewRow: lastRow != open.piece.row.id, to: &text)
            parts(of: open.piece, to: &text)
        }
        if list.kind == .onDemand { text += "#EXT-X-ENDLIST\n" }
        return text
    }

    /// Those that end within three target durations of the end (rfc8216bis §6.2.2).
    private static let chunksWithParts = 3

    private var head: String {
        var lines = ["#EXTM3U", "#EXT-X-VERSION:\(hasParts ? 9 : 7)"]
        // Whole seconds, none shorter than a chunk is when it is rounded (RFC 8216 §4.3.3.1).
        lines.append("#EXT-X-TARGETDURATION:\(max(1, (list.longest.microseconds + 999_999) / 1_000_000))")
        if hasParts {
            // A player stays three parts behind the end at least.
            let part = list.longestFragment
            lines.append("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=\((part * 3).decimal)")
            lines.append("#EXT-X-PART-INF:PART-TARGET=\(part.decimal)")
        }
        switch list.kind {
        case .onDemand: lines.append("#EXT-X-PLAYLIST-TYPE:VOD")
        case .event: lines.append("#EXT-X-PLAYLIST-TYPE:EVENT")
        case .sliding: break
        }
        lines.append("#EXT-X-MEDIA-SEQUENCE:\(list.first.chunk)")
        if list.kind == .sliding { lines.append("#EXT-X-DISCONTINUITY-SEQUENCE:\(list.first.stretch)") }
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
        return lines.joined(separator: "\n") + "\n"
    }

    private func announce(_ chunk: MediaChunk, isFirst: Bool, isNewRow: Bool, to text: inout String) {
        if chunk.startsStretch, !isFirst { text += "#EXT-X-DISCONTINUITY\n" }
        if chunk.startsFormat || isFirst {
            let length = chunk.piece.row.media.initLength
            text += "#EXT-X-MAP:URI=\"\(url(chunk.piece))\",BYTERANGE=\"\(length)@0\"\n"
        }
        if chunk.startsStretch || isNewRow { text += "#EXT-X-PROGRAM-DATE-TIME:\(chunk.piece.start.rfc3339)\n" }
    }

    private func parts(of piece: Piece, to text: inout String) {
        for part in piece.parts {
            let isKey = part.row.media.fragments[part.fragments.lowerBound].isKey
            text += "#EXT-X-PART:DURATION=\(part.duration.decimal),URI=\"\(url(part))\""
            text += ",BYTERANGE=\"\(part.bytes.length)@\(part.bytes.lowerBound)\"\(isKey ? ",INDEPENDENT=YES" : "")\n"
        }
    }

    private func url(_ piece: Piece) -> String { base + MediaAddress(piece).path + suffix }
}

extension TimeSpan {
    /// Seconds with six decimals; nothing before 0.
    var decimal: String {
        let microseconds = max(0, microseconds)
        return "\(microseconds / 1_000_000).\(padded(Int(microseconds % 1_000_000), 6))"
    }
}
