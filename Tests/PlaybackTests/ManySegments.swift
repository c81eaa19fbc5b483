import Catalog
import Recording

/// A camera with segments of 2 s, most of which are rows alone: nobody asks for their bytes.
struct ManySegments: Sendable {
    private static let length: Int64 = 2

    let count: Int
    /// The last one.
    let last: SegmentRow
    /// Of all as one file.
    let bytes: Int64
    /// As viewers write its bounds.
    let from = RecordedSite.start.rfc3339
    var to: String { (RecordedSite.start + .seconds(Int64(count) * Self.length)).rfc3339 }
    /// After the last one has ended.
    var now: WallTime { RecordedSite.start + .seconds(Int64(count) * Self.length + 3600) }

    /// The first and the last have bytes, and `real` ones.
    init(_ count: Int, real: [Int] = [], in site: RecordedSite) async throws {
        let clip = try await EncodedClip(seconds: Int(Self.length))
        let record = { (counter: Int) in
            try site.record(
                clip, from: counter * Int(Self.length), counter: Int64(counter), segments: 1, length: Int(Self.length))
        }
        let ends = try record(0) + real.flatMap(record) + record(count - 1)
        let known = Set(ends.map(\.id.counter))
        let rows = (0..<Int64(count)).filter { !known.contains($0) }.map { counter in
            var row = ends[0]
            let way = counter * Self.length
            row.id.counter = counter
            row.key = "plant/asset-front/\(counter).mp4"
            row.start = row.start + .seconds(way)
            for index in row.media.fragments.indices { row.media.fragments[index].decodeTime += way * 90_000 }
            for index in row.media.tracks.indices {
                row.media.tracks[index].baseDecodeTime += way * row.media.tracks[index].timescale
            }
            return row
        }
        try site.catalog.enter(rows)
        (self.count, last) = (count, ends[ends.count - 1])
        bytes = (rows + ends).reduce(ends[0].media.initLength) { $0 + $1.media.mediaEnd - $1.media.initLength }
    }
}
