import Recording

/// Where a player of HLS gets chunks from, and their init parts.
///
/// One track by itself is its segment's file with the other tracks' boxes made `free`. No player of HLS plays G.711: of
/// that the server makes AAC, each chunk an answer of its own that has exactly the sound between the chunk's borders.
struct ChunkSource {
    struct Place {
        let url: String
        /// Of the file; nil when the whole answer is the chunk.
        let bytes: Range<Int64>?
        /// There is no such track in it: a player has to wait it out.
        var isMissing = false
    }

    let tracks: ManifestRequest.Tracks
    private let base: String
    private let suffix: String
    private var addresses: AddressCache

    init(_ tracks: ManifestRequest.Tracks, base: String, suffix: String) {
        self.tracks = tracks
        self.base = base
        self.suffix = suffix
        addresses = AddressCache(base: base, suffix: suffix)
    }

    mutating func place(of piece: Piece) -> Place {
        if isTranscoded(piece) { return Place(url: sound(piece, "media"), bytes: nil) }
        let track = track(of: piece)
        let url = addresses.url(piece, only: piece.row.media.tracks.count > 1 ? track : nil)
        return Place(url: url, bytes: piece.bytes, isMissing: tracks != .all && track == nil)
    }

    /// The attributes of the init part (rfc8216bis §4.4.4.5).
    mutating func map(of piece: Piece) -> String {
        if isTranscoded(piece) { return "URI=\"\(sound(piece, "init"))\"" }
        return "URI=\"\(place(of: piece).url)\",BYTERANGE=\"\(piece.row.media.initLength)@0\""
    }

    private func isTranscoded(_ piece: Piece) -> Bool {
        tracks == .audio && track(of: piece).map { piece.row.media.tracks[$0].isG711 } ?? false
    }

    /// The only one that is listed, from 0; nil for all, or when there is none of the kind.
    private func track(of piece: Piece) -> Int? {
        switch tracks {
        case .all: nil
        case .video: piece.row.media.tracks.firstIndex(where: \.isVideo)
        case .audio: piece.row.media.tracks.firstIndex { !$0.isVideo }
        }
    }

    private func sound(_ piece: Piece, _ part: String) -> String {
        let more = suffix.isEmpty ? "" : "&" + suffix.dropFirst()
        let range = "from=\(piece.bytes.lowerBound)&to=\(piece.bytes.upperBound)"
        return base + MediaAddress(piece).soundPath + "?\(range)&part=\(part)" + more
    }
}

extension MediaIndex.Track {
    var isVideo: Bool { Codec(rawValue: codec)?.isVideo ?? false }

    var isG711: Bool { [.alaw, .ulaw].contains(Codec(rawValue: codec)) }
}
