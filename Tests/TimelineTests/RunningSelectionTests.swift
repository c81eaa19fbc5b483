import Recording
import TestSupport
import Testing
import Timeline

/// Rows that come in pages are chosen from as if they came at once.
@Suite("Timeline: selection of a long range")
struct RunningSelectionTests {
    /// Sessions after one another and over one another, with holes, missing segments, and keys that are far apart.
    private func rows(_ random: inout SeededRandom) -> [SegmentRow] {
        var rows: [SegmentRow] = []
        var start = 0.0
        for session in 1...Int64.random(in: 2...5, using: &random) {
            var at = start
            for counter in 0..<Int64.random(in: 1...12, using: &random) {
                let seconds = Int.random(in: 2...10, using: &random)
                if Int.random(in: 0..<6, using: &random) > 0 {
                    var row = SegmentRow.made(
                        session: session, counter, at: at, seconds: seconds,
                        keyEvery: Int.random(in: 1...3, using: &random), since: start)
                    if Int.random(in: 0..<8, using: &random) == 0 { row.state = .evicted }
                    rows.append(row)
                }
                at += Double(seconds)
            }
            // The clock is set back, or the camera is away, by any tenth of a second.
            start = max(0, at + Double(Int.random(in: -600...300, using: &random)) / 10)
        }
        return rows.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
    }

    @Test("pages of any length give the pieces of all rows at once")
    func pages() {
        var random = SeededRandom(seed: 3)
        for number in 0..<400 {
            let rows = rows(&random)
            let from = Double.random(in: -5...60, using: &random)
            let to = from + Double.random(in: 1...200, using: &random)
            let whole = Selection(rows, from, to)
            var running = RunningSelection(
                from: whole.from, to: whole.to, origin: epoch)
            var pieces: [Piece] = []
            var rest = rows[...]
            while !rest.isEmpty {
                let page = rest.prefix(Int.random(in: 1...7, using: &random))
                rest = rest.dropFirst(page.count)
                pieces += running.add(Array(page))
            }
            pieces += running.finish()
            #expect(pieces == whole.pieces, "\(number)")
        }
    }

    @Test("a time line that is moved after its first pieces goes on where they are")
    func moved() {
        let rows = [SegmentRow.made(0, at: 0), .made(1, at: 10), .made(session: 2, 0, at: 19, since: 19)]
        var whole = Selection(rows, 0, 100)
        whole.move(by: .seconds(7))
        var running = RunningSelection(from: whole.from, to: whole.to, origin: epoch)
        var pieces = running.add(Array(rows.prefix(2)))
        #expect(pieces.count == 1)
        running.move(by: .seconds(7))
        for index in pieces.indices { pieces[index].shift = pieces[index].shift + .seconds(7) }
        #expect(pieces + running.add(Array(rows.suffix(1))) + running.finish() == whole.pieces)
    }

    @Test("what it holds of a long range is what may still change")
    func bounded() {
        var running = RunningSelection(from: epoch, to: epoch + .seconds(100_000), origin: epoch)
        var count = 0
        for counter in 0..<Int64(2000) {
            let ready = running.add([.made(counter, at: Double(counter) * 10)])
            #expect(counter == 0 ? ready.isEmpty : ready.count == 1)
            count += ready.count
        }
        #expect(count + running.finish().count == 2000)
    }
}
