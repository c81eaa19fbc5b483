import Recording
import Testing
import Timeline

@Suite("Timeline: layout of a long range")
struct RangeLayoutTests {
    /// Two sessions, a segment that is missing, one that grows.
    private var rows: [SegmentRow] {
        (0..<200).map { SegmentRow.made($0, at: Double($0) * 10) }
            + (0..<50).filter { $0 != 20 }.map {
                SegmentRow.made(session: 2, $0, at: 2005 + Double($0) * 10, since: 2005)
            }
            + [.made(session: 2, 50, at: 2505, since: 2005, state: .recording)]
    }

    private func layout(_ pieces: [Piece]) -> RangeLayout {
        var layout = RangeLayout()
        for piece in pieces { layout.add(piece) }
        return layout
    }

    @Test("its pages are the bytes of all pieces, from rows that are read again")
    func pages() throws {
        let pieces = Selection(rows, 3, 2509).pieces
        let (layout, whole) = (layout(pieces), ByteMap(pieces))
        #expect(layout.length == whole.length && layout.pages.count > 2)
        var found: [Piece] = []
        for page in layout.pages {
            let own = rows.filter { page.first <= $0.start && $0.start <= page.last }
            let map = try #require(page.map(of: own))
            #expect(map.initLength == (page.bytes.lowerBound == 0 ? whole.initLength : 0))
            found += map.pieces
        }
        #expect(found == pieces)
        for offset in [0, 999, 1000, 50_000, layout.length - 1] {
            #expect(layout.page(at: offset)?.bytes.contains(offset) == true, "\(offset)")
        }
        #expect(layout.page(at: layout.length) == nil && layout.page(at: -1) == nil)
    }

    @Test("rows of what is not there any more, between those that are, are not read with them")
    func spread() {
        let rows = [SegmentRow.made(0, at: 0), .made(1, at: 10), .made(43_000, at: 86_000), .made(43_001, at: 86_010)]
        let pages = layout(Selection(rows, 0, 100_000).pieces).pages
        #expect(pages.map { ($0.last - $0.first).seconds } == [10, 10])
    }

    @Test("other rows are other bytes: they are not served in place of those that were")
    func changed() throws {
        let pieces = Selection(rows, 0, 600).pieces
        let page = try #require(layout(pieces).pages.first)
        #expect(page.map(of: rows) != nil && page.map(of: []) == nil)
        #expect(page.map(of: rows.filter { $0.id.counter != 5 }) == nil)
        var evicted = rows
        evicted[7].state = .evicted
        #expect(page.map(of: evicted) == nil)
        var shorter = rows
        shorter[9].media.mediaEnd -= 500
        #expect(page.map(of: shorter) == nil)
    }

    @Test("a month of segments of 2 s takes a few megabytes")
    func weight() {
        var layout = RangeLayout()
        // A tenth of it: every row is made.
        for counter in 0..<Int64(133_920) {
            layout.add(Piece(SegmentRow.made(counter, at: Double(counter) * 2, seconds: 2), 0..<2))
        }
        #expect(layout.length == 1000 + 133_920 * 2000)
        #expect(layout.weight < 600_000, "\(layout.weight)")
    }

    @Test("changes of format part a range")
    func formats() {
        var formats = FormatRuns()
        let rows = [
            SegmentRow.made(0, at: 0), .made(1, at: 10), .made(session: 2, 0, at: 19.95, since: 19.95, format: 8),
            .made(session: 3, 0, at: 40, since: 40),
        ]
        let selection = Selection(rows, 3, 45)
        for piece in selection.pieces { formats.add(piece) }
        let ends = { (run: ArraySlice<Piece>) in run.last?.end ?? epoch }
        #expect(formats.count == 3 && selection.formats.count == 3)
        #expect(formats.ranges.map(\.lowerBound) == selection.formats.compactMap { $0.first?.start })
        #expect(
            formats.ranges.map(\.upperBound) == [epoch + TimeSpan(seconds: 19.95)]
                + selection.formats.dropFirst().map(ends))
    }
}
