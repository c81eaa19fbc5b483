import Recording

/// `moov` of a fragmented file: what the tracks are; their samples are in fragments (ISO/IEC 14496-12 §8.2 to §8.8).
enum MovieBox {
    /// A box that reads more was not written by this module.
    static let trackLimit = 16

    static func write(_ tracks: [Track], to file: inout BoxWriter) {
        file.box("moov") { movie in
            movie.fullBox("mvhd") { header in
                header.zeros(8)
                header.put(UInt32(1000))
                header.zeros(4)
                header.put(UInt32(0x1_0000))
                header.put(UInt16(0x100))
                header.zeros(10)
                header.putUnityMatrix()
                header.zeros(24)
                header.put(UInt32(clamping: tracks.count + 1))
            }
            for (index, track) in tracks.enumerated() { writeTrack(track, id: UInt32(index + 1), to: &movie) }
            movie.box("mvex") { extends in
                for id in tracks.indices {
                    extends.fullBox("trex") { defaults in
                        defaults.put(UInt32(id + 1))
                        defaults.put(UInt32(1))
                        defaults.zeros(12)
                    }
                }
            }
        }
    }

    private static func writeTrack(_ track: Track, id: UInt32, to movie: inout BoxWriter) {
        movie.box("trak") { box in
            // Enabled and in the presentation.
            box.fullBox("tkhd", flags: 3) { header in
                header.zeros(8)
                header.put(id)
                header.zeros(20)
                header.put(UInt16(track.isVideo ? 0 : 0x100))
                header.zeros(2)
                header.putUnityMatrix()
                header.put(UInt32(clamping: track.width) << 16)
                header.put(UInt32(clamping: track.height) << 16)
            }
            box.box("mdia") { media in
                media.fullBox("mdhd") { header in
                    header.zeros(8)
                    header.put(UInt32(clamping: track.timescale))
                    header.zeros(4)
                    // Language "und".
                    header.put(UInt16(0x55C4))
                    header.zeros(2)
                }
                media.fullBox("hdlr") { handler in
                    handler.zeros(4)
                    handler.put(BoxType(stringLiteral: track.isVideo ? "vide" : "soun").code)
                    handler.zeros(13)
                }
                media.box("minf") { writeMediaInformation(track, to: &$0) }
            }
        }
    }

    private static func writeMediaInformation(_ track: Track, to box: inout BoxWriter) {
        if track.isVideo {
            box.fullBox("vmhd", flags: 1) { $0.zeros(8) }
        } else {
            box.fullBox("smhd") { $0.zeros(4) }
        }
        box.box("dinf") { information in
            information.fullBox("dref") { references in
                references.put(UInt32(1))
                // The media is in this file.
                references.fullBox("url ", flags: 1)
            }
        }
        box.box("stbl") { table in
            table.fullBox("stsd") { descriptions in
                descriptions.put(UInt32(1))
                track.writeSampleEntry(&descriptions)
            }
            for empty: BoxType in ["stts", "stsc"] { table.fullBox(empty) { $0.zeros(4) } }
            table.fullBox("stsz") { $0.zeros(8) }
            table.fullBox("stco") { $0.zeros(4) }
        }
    }

    /// Nil when the body of a `moov` is not one that `write` makes.
    static func read(_ movie: BoxReader) -> [Track]? {
        let boxes = movie.children("trak")
        guard (1...trackLimit).contains(boxes.count) else { return nil }
        let tracks = boxes.enumerated().compactMap { readTrack($1, id: UInt32($0 + 1)) }
        return tracks.count == boxes.count ? tracks : nil
    }

    private static func readTrack(_ box: BoxReader, id: UInt32) -> Track? {
        guard var header = box.child("tkhd"), let media = box.child("mdia"), var timing = media.child("mdhd"),
            var descriptions = media.descendant("minf", "stbl", "stsd")
        else { return nil }
        header.skip(12)
        timing.skip(12)
        descriptions.skip(8)
        let timescale = Int64(timing.integer(UInt32.self))
        guard header.integer() == id, timescale > 0, let entry = descriptions.box() else { return nil }
        return Track(sampleEntry: entry.type, entry.body, timescale: timescale)
    }
}

extension BoxWriter {
    fileprivate mutating func putUnityMatrix() {
        for value: UInt32 in [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] { put(value) }
    }
}
