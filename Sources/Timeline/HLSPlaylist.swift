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
    package let tracks: ManifestRequest.Tracks

    /// Those that end within three target durations of the end (rfc8216bis §6.2.2).
    private static let chunksWithParts = 3

    package init(
        _ list: ChunkList, suffix: String = "", base: String = "", hasParts: Bool = false,
        tracks: ManifestRequest.Tracks = .all
    ) {
        self.list = list
        self.suffix = suffix
        self.base = base
        self.hasParts = hasParts
        self.tracks = tracks
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// About what it will have, in bytes.
    package var expectedLength: Int { 512 + list.chunks.count * (180 + base.utf8.count + suffix.utf8.count) }

    package var bytes: [UInt8] {
        var text = ManifestText(reserving: expectedLength)
        var source = ChunkSource(tracks, base: base, suffix: suffix)
        text.put(head)
        var lastRow: SegmentID?
        for (index, chunk) in list.chunks.enumerated() {
            announce(chunk, source: &source, isFirst: index == 0, isNewRow: lastRow != chunk.piece.row.id, to: &text)
            lastRow = chunk.piece.row.id
            if hasParts, index >= list.chunks.count - Self.chunksWithParts {
                parts(of: chunk.piece, &source, to: &text)
            }
            put(chunk, source.place(of: chunk.piece), to: &text)
        }
        if hasParts, let open = list.open {
            announce(open, source: &source, isFirst: lastRow == nil, isNewRow: lastRow != open.piece.row.id, to: &text)
            parts(of: open.piece, &source, to: &text)
            hint(source.place(of: open.piece), to: &text)
        }
        if list.isEnded { text.put("#EXT-X-ENDLIST\n") }
        return text.bytes
    }

    private func put(_ chunk: MediaChunk, _ place: ChunkSource.Place, to text: inout ManifestText) {
        if place.isMissing { text.put("#EXT-X-GAP\n") }
        text.put("#EXTINF:")
        text.put(chunk.piece.duration)
        text.put(",\n")
        if let bytes = place.bytes {
            text.put("#EXT-X-BYTERANGE:")
            text.put(bytes.length)
            text.put("@")
            text.put(bytes.lowerBound)
            text.put("\n")
        }
        text.put(place.url)
        text.put("\n")
    }

    /// The next fragment, whose length is not known yet (rfc8216bis §4.4.5.3); of made sound nor is its address.
    private func hint(_ place: ChunkSource.Place, to text: inout ManifestText) {
        guard let bytes = place.bytes else { return }
        text.put("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"\(place.url)\",BYTERANGE-START=")
        text.put(bytes.upperBound)
        text.put("\n")
    }

    private func announce(
        _ chunk: MediaChunk, source: inout ChunkSource, isFirst: Bool, isNewRow: Bool, to text: inout ManifestText
    ) {
        if chunk.startsStretch, !isFirst { text.put("#EXT-X-DISCONTINUITY\n") }
        if chunk.startsFormat || isFirst { text.put("#EXT-X-MAP:\(source.map(of: chunk.piece))\n") }
        if chunk.startsStretch || isNewRow { text.put("#EXT-X-PROGRAM-DATE-TIME:\(chunk.piece.start.rfc3339)\n") }
    }

    private func parts(of piece: Piece, _ source: inout ChunkSource, to text: inout ManifestText) {
        for part in piece.parts {
            let place = source.place(of: part)
            let isKey = part.row.media.fragments[part.fragments.lowerBound].isKey
            text.put("#EXT-X-PART:DURATION=")
            text.put(part.duration)
            text.put(",URI=\"\(place.url)\"")
            if let bytes = place.bytes { text.put(",BYTERANGE=\"\(bytes.length)@\(bytes.lowerBound)\"") }
            if place.isMissing { text.put(",GAP=YES") }
            // Each frame of sound is one to begin with.
            text.put(isKey || tracks == .audio ? ",INDEPENDENT=YES\n" : "\n")
        }
    }

    private var head: String {
        // 8 has EXT-X-GAP (rfc8216bis §8), which only sound may need.
        var lines = ["#EXTM3U", "#EXT-X-VERSION:\(hasParts ? 9 : tracks == .audio ? 8 : 7)"]
        // Whole seconds, none shorter than a chunk is when it is rounded (RFC 8216 §4.3.3.1).
        lines.append("#EXT-X-TARGETDURATION:\(max(1, (list.longest.microseconds + 999_999) / 1_000_000))")
        if hasParts {
            var (target, distance) = (ManifestText(reserving: 16), ManifestText(reserving: 16))
            target.put(list.longestFragment)
            // A player stays three parts behind the end at least.
            distance.put(list.longestFragment * 3)
            lines.append("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=\(distance.text)")
            lines.append("#EXT-X-PART-INF:PART-TARGET=\(target.text)")
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
}
