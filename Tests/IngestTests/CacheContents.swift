import FragmentedMP4
import Recording
import SegmentStore

/// What workers left in a cache, as its readers find it.
struct CacheContents {
    let cache: CacheDirectory

    init(_ cache: CacheDirectory) { self.cache = cache }

    var records: [JournalEvent] {
        get throws { try JournalReader.read(in: cache, from: 0).records.map(\.event) }
    }

    /// Every gap in the journal, as its readers fold it; those without a length are none.
    var gaps: [Gap] {
        get throws {
            var gaps: [Gap] = []
            for event in try records {
                switch event {
                case .gapOpen(let from, let reason, _):
                    gaps.append(Gap(from: from, to: nil, reason: reason, detail: ""))
                case .gapClose(let to): gaps[gaps.count - 1].to = to
                default: break
                }
            }
            return gaps.filter { $0.to != $0.from }
        }
    }

    /// Segments by session and counter, read with their checksums.
    var segments: [SegmentReader] {
        get throws {
            try cache.listing().map { name, _ in
                let file = try cache.open(name)
                return try SegmentReader(length: try file.length()) { try file.read(at: $0, count: $1) }
            }
        }
    }

    /// Numbers of a live station's frames, by session and counter and then in their order.
    var frames: [Int] { get throws { try frames(from: 1) } }

    func frames(from session: Int64) throws -> [Int] {
        try cache.listing().filter { $0.name.id.session >= session }.flatMap { name, bytes in
            let file = try cache.open(name)
            let text = String(decoding: try file.read(at: 0, count: Int(bytes)), as: Unicode.ASCII.self)
            return text.split(separator: "FRAME").dropFirst().compactMap { Int($0.prefix(8)) }
        }
    }
}
