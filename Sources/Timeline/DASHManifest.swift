package import Recording

/// A media presentation description (ISO/IEC 23009-1), whose chunks are byte ranges of their segments' files.
///
/// Players want each track by itself: an adaptation set's files are the segments' with the other tracks' boxes made
/// `free`. Picture and sound are stored together, so that who plays both fetches both twice. A Period has one init part. A
/// gap is a jump of the time line inside it: some players play the first Period only. Times are those of the media, so
/// that a chunk keeps its time while a live window moves on.
package struct DASHManifest {
    package let list: ChunkList
    /// Added to each URL: `?token=…`.
    package let suffix: String
    /// Where the asset's `media` is, relative to the manifest.
    package let base: String
    package let now: WallTime

    /// The chunks of a live list have the Unix epoch as their origin.
    package init(_ list: ChunkList, suffix: String = "", base: String = "", now: WallTime) {
        self.list = list
        self.suffix = Self.escaped(suffix)
        self.base = Self.escaped(base)
        self.now = now
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// About what it will have, in bytes.
    package var expectedLength: Int {
        let tracks = max(1, list.chunks.first?.piece.row.media.tracks.count ?? 1)
        return 1024 + list.chunks.count * tracks * (170 + base.utf8.count + suffix.utf8.count)
    }

    package var bytes: [UInt8] {
        var text = ManifestText(reserving: expectedLength)
        text.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        text.put("<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" ")
        text.put("profiles=\"urn:mpeg:dash:profile:isoff-main:2011\" ")
        text.put(list.kind == .onDemand ? onDemand : live)
        text.put(" minBufferTime=\"\(duration(list.longest))\">\n")
        for (number, period) in periods.enumerated() { write(period, number, to: &text) }
        if list.kind != .onDemand {
            text.put("<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:direct:2014\" value=\"\(now.rfc3339)\"/>\n")
        }
        text.put("</MPD>\n")
        return text.bytes
    }

    private var periods: [ArraySlice<MediaChunk>] {
        var starts = list.chunks.indices.filter { list.chunks[$0].startsFormat || $0 == 0 }
        starts.append(list.chunks.count)
        return zip(starts, starts.dropFirst()).map { list.chunks[$0..<$1] }
    }

    /// Served time of the presentation's beginning.
    private var start: TimeSpan { list.kind == .onDemand ? list.formatStart : .zero }

    private var end: TimeSpan { list.chunks.last?.piece.servedEnd ?? start }

    private var onDemand: String { "type=\"static\" mediaPresentationDuration=\"\(duration(end - start))\"" }

    private var live: String {
        var text = "type=\"dynamic\" availabilityStartTime=\"1970-01-01T00:00:00Z\" publishTime=\"\(now.rfc3339)\""
        // Without an update period nothing is added (ISO/IEC 23009-1 §5.3.1.2).
        text += list.isEnded ? " mediaPresentationDuration=\"\(duration(end))\"" : " minimumUpdatePeriod=\"PT2S\""
        text += " suggestedPresentationDelay=\"\(duration(list.longest * 2))\""
        if list.kind == .sliding, let first = list.chunks.first?.piece.servedStart {
            text += " timeShiftBufferDepth=\"\(duration(max(list.longest, end - first)))\""
        }
        return text
    }

    private func write(_ period: ArraySlice<MediaChunk>, _ number: Int, to text: inout ManifestText) {
        guard let first = period.first?.piece else { return }
        let begin = number == 0 ? list.formatStart : first.servedStart
        let media = first.row.media
        let scale = media.tracks.first?.timescale ?? 1
        let offset =
            begin == first.servedStart ? first.servedTicks : begin.microseconds.scaled(by: scale, over: 1_000_000)
        let timeline = timeline(period)
        let bandwidth = bandwidth(period)
        text.put("<Period id=\"\(list.first.format + Int64(number))\" start=\"\(duration(begin - start))\">\n")
        for track in media.tracks.indices {
            let only = media.tracks.count > 1 ? track : nil
            var addresses = AddressCache(base: base, suffix: suffix)
            text.put(adaptationSet(media, track, bandwidth))
            text.put("<SegmentList timescale=\"\(scale)\" presentationTimeOffset=\"\(offset)\">\n")
            text.put("<Initialization sourceURL=\"\(addresses.url(first, only: only))\" ")
            text.put("range=\"0-\(media.initLength - 1)\"/>\n")
            text.put(timeline)
            for chunk in period {
                let bytes = chunk.piece.bytes
                text.put("<SegmentURL media=\"")
                text.put(addresses.url(chunk.piece, only: only))
                text.put("\" mediaRange=\"")
                text.put(bytes.lowerBound)
                text.put("-")
                text.put(bytes.upperBound - 1)
                text.put("\"/>\n")
            }
            text.put("</SegmentList>\n</Representation>\n</AdaptationSet>\n")
        }
        text.put("</Period>\n")
    }

    private func adaptationSet(_ media: MediaIndex, _ track: Int, _ bandwidth: Int64) -> String {
        let isVideo = Codec(rawValue: media.tracks[track].codec)?.isVideo ?? false
        let kind = isVideo ? "video" : "audio"
        let codecs = media.codecs.split(separator: ",")
        let codec = codecs.indices.contains(track) ? String(codecs[track]) : media.tracks[track].codec
        return "<AdaptationSet id=\"\(track)\" contentType=\"\(kind)\" mimeType=\"\(kind)/mp4\" "
            + "segmentAlignment=\"true\" startWithSAP=\"1\">\n<Representation id=\"\(track)\" "
            + "codecs=\"\(Self.escaped(codec))\" bandwidth=\"\(bandwidth)\">\n"
    }

    /// An entry a chunk, though a run of one length could be one (`r`, ISO/IEC 23009-1 §5.3.9.6): of a run in a list GStreamer
    /// 1.22 plays the first chunk over and over.
    private func timeline(_ period: ArraySlice<MediaChunk>) -> ManifestText {
        var text = ManifestText(reserving: period.count * 48)
        text.put("<SegmentTimeline>\n")
        for chunk in period {
            let start = chunk.piece.servedTicks
            text.put("<S t=\"")
            text.put(start)
            text.put("\" d=\"")
            text.put(max(1, chunk.piece.endTicks.subtractingSaturated(start)))
            text.put("\"/>\n")
        }
        text.put("</SegmentTimeline>\n")
        return text
    }

    /// Bits per second, as its busiest chunk has them.
    private func bandwidth(_ period: ArraySlice<MediaChunk>) -> Int64 {
        period.reduce(1) { most, chunk in
            max(most, chunk.piece.bytes.length.scaled(by: 8_000_000, over: max(1, chunk.piece.duration.microseconds)))
        }
    }

    private func duration(_ span: TimeSpan) -> String {
        var text = ManifestText(reserving: 32)
        text.put("PT")
        text.put(span)
        text.put("S")
        return text.text
    }

    private static func escaped(_ text: String) -> String {
        let names: [Character: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"]
        return text.map { names[$0] ?? String($0) }.joined()
    }
}

extension Piece {
    private var firstTicks: Int64 {
        shift.microseconds.scaled(by: row.media.tracks.first?.timescale ?? 0, over: 1_000_000)
    }

    /// Decode time of its first sample as it is served, in ticks of the first track.
    fileprivate var servedTicks: Int64 {
        row.media.fragments[fragments.lowerBound].decodeTime.addingSaturated(firstTicks)
    }

    /// Where its last sample ends, in ticks of the first track.
    fileprivate var endTicks: Int64 {
        guard row.media.fragments.indices.contains(fragments.upperBound),
            end == row.start(ofFragment: fragments.upperBound)
        else {
            let scale = row.media.tracks.first?.timescale ?? 1
            // A row's duration is cut to whole microseconds.
            return servedTicks.addingSaturated(
                (duration.microseconds.addingSaturated(1)).scaled(by: scale, over: 1_000_000))
        }
        return row.media.fragments[fragments.upperBound].decodeTime.addingSaturated(firstTicks)
    }
}
