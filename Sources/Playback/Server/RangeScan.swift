import Footage
import FragmentedMP4
import Recording
import Timeline

/// A look through the rows of a range, a page at a time, for what must be known of the file that it is: its length, its
/// tag, and where its parts are.
///
/// None of the rows is held beyond its page, so that a month costs as little memory as an hour.
struct RangeScan: Sendable {
    /// Rows of a page.
    private static let page = 500

    private let asked: RangeSelection
    private var running: RunningSelection
    /// Where the next page begins; nil after the last.
    private var after: SegmentPlace?
    private var isDone = false
    /// Not looked at yet.
    private var ready: [Piece] = []
    private var last: Piece?
    private var tag: FootageTag
    private(set) var formats = FormatRuns()
    /// Of its first format.
    private(set) var layout = RangeLayout()

    init(_ asked: RangeSelection) {
        self.asked = asked
        running = RunningSelection(from: asked.from, to: asked.to, origin: asked.from)
        tag = FootageTag(asked.camera.name)
    }

    /// All of the range, from decode time 0 on; a long one waits for its turn.
    ///
    /// Refuses a range without footage (404).
    static func of(_ asked: RangeSelection, _ reader: FootageReader) async throws -> RangeScan {
        guard asked.to - asked.from > .seconds(86_400) else { return try await whole(asked, reader) }
        return try await reader.scans.take { try await whole(asked, reader) }
    }

    private static func whole(_ asked: RangeSelection, _ reader: FootageReader) async throws -> RangeScan {
        var scan = try await reader.threads.run {
            var scan = RangeScan(asked)
            try await scan.findFirst(in: reader.archive)
            return scan
        }
        guard let first = scan.ready.first else { throw Refusal.noFootage(asked.camera.name, asked.from, asked.to) }
        scan.startAtZero(try await reader.decodeTimes(first))
        return try await reader.threads.run { [scan] in
            var scan = scan
            try await scan.goOn(in: reader.archive)
            return scan
        }
    }

    /// It ends in footage that is whole: nothing will be added to it.
    var isClosed: Bool { last.map { $0.end >= asked.to && $0.row.state != .recording } ?? false }

    /// Of each format, within what was asked for: that selects the same fragments.
    var ranges: [Range<WallTime>] {
        formats.ranges.map { $0.clamped(to: asked.from..<asked.to) }.filter { !$0.isEmpty }
    }

    /// Of a range of one format.
    var file: FootageFile { FootageFile(layout, tag: tag.tag, of: asked.camera) }

    private mutating func findFirst(in archive: Archive) async throws {
        while ready.isEmpty, !isDone { try await readPage(of: archive) }
    }

    private mutating func startAtZero(_ times: [Int: Int64]) {
        guard let way = ready.first?.wayToZero(times) else { return }
        running.move(by: way)
        for index in ready.indices { ready[index].shift = ready[index].shift + way }
    }

    private mutating func goOn(in archive: Archive) async throws {
        while true {
            for piece in ready { if try !take(piece) { return } }
            ready = []
            if isDone { return }
            try await readPage(of: archive)
        }
    }

    private mutating func readPage(of archive: Archive) async throws {
        // Whoever asks for a page alone is let pass.
        await Task.yield()
        try Task.checkCancellation()
        let page = try archive.page(asked.camera, from: asked.from, to: asked.to, after: after, limit: Self.page)
        (after, isDone) = (page.next, page.next == nil)
        ready = running.add(page.rows)
        if isDone { ready += running.finish() }
    }

    /// False at the gap that the file ends with.
    private mutating func take(_ piece: Piece) throws -> Bool {
        if let last, !asked.skipsGaps, Selection.isGap(last, piece) { return false }
        last = piece
        formats.add(piece)
        guard formats.count <= FormatRuns.limit else { throw Refusal.tooManyFormats(asked.camera.name) }
        if formats.count == 1 {
            layout.add(piece)
            tag.add(piece)
        }
        return true
    }
}

extension FootageReader {
    /// When the tracks of a piece's first fragment start, as they were recorded.
    fileprivate func decodeTimes(_ piece: Piece) async throws -> [Int: Int64] {
        try await (piece.row.isLocal ? threads : storeThreads).run {
            let head = try ServedBytes.head(of: piece.row, at: piece.bytes.lowerBound) {
                try archive.read($0, at: $1, count: $2)
            }
            guard let times = FragmentShift.decodeTimes(head) else { throw Refusal.gone }
            return times
        }
    }
}

extension Refusal {
    fileprivate static func tooManyFormats(_ camera: CameraName) -> Refusal {
        Refusal(
            400, "tooMuch", "\(camera) changed its format more than \(FormatRuns.limit) times in this range",
            nextStep: "ask for its parts")
    }
}
