import Recording
import Testing
import Timeline

@Suite("Timeline: selection")
struct SelectionTests {
    private let session: [SegmentRow] = (0..<3).map { .made($0, at: Double($0) * 10, keyEvery: 2) }

    @Test(
        "a range starts with the last key at or before it, and ends with the fragment that holds its end",
        arguments: [
            (0.0, 30.0, ["1.0[0..<10]@0.0", "1.1[0..<10]@10.0", "1.2[0..<10]@20.0"]),
            (3.5, 12.0, ["1.0[2..<10]@2.0", "1.1[0..<2]@10.0"]),
            (4, 4.5, ["1.0[4..<5]@4.0"]),
            (5, 12.1, ["1.0[4..<10]@4.0", "1.1[0..<3]@10.0"]),
            (13, 14, ["1.1[2..<4]@12.0"]),
            (-5, 1, ["1.0[0..<1]@0.0"]),
            (29.9, 100, ["1.2[8..<10]@28.0"]),
            (30, 40, []),
            (-9, 0, []),
        ])
    func borders(_ from: Double, _ to: Double, _ expected: [String]) {
        #expect(Selection(session, from, to).text == expected)
        #expect(Selection(session.reversed(), from, to).text == expected)
    }

    @Test("what cannot be played is passed over")
    func unplayable() {
        var rows = session
        rows[1].state = .evicted
        #expect(Selection(rows, 0, 30).text == ["1.0[0..<10]@0.0", "1.2[0..<10]@20.0"])
        rows[1].state = .quarantined
        #expect(Selection(rows, 0, 30).pieces.count == 3)
        rows[1].isLocal = false
        #expect(Selection(rows, 0, 30).pieces.count == 2)
        rows[0].media = MediaIndex()
        #expect(Selection(rows, 0, 30).pieces.count == 1)
    }

    @Test(
        "hostile rows trap nothing and are passed over or stay within their rows",
        arguments: [
            { (row: inout SegmentRow) in row.media.fragments[3].offset = .min },
            { row in row.media.fragments[3].offset = 1 },
            { row in row.media.mediaEnd = 1500 },
            { row in row.media.initLength = .max },
            { row in row.media.initLength = -1 },
            { row in row.media.tracks[0].timescale = 0 },
            { row in row.media.tracks[0].timescale = -90_000 },
            { row in row.media.tracks = [] },
            { row in row.media.fragments[3].decodeTime = .max },
            { row in row.media.fragments[0].decodeTime = .min },
            { row in row.media.tracks[0].baseDecodeTime = .min },
            { row in row.media.tracks[0].timescale = .max },
            { row in row.media.mediaEnd = .max },
            { row in row.duration = TimeSpan(microseconds: .max) },
            { row in row.duration = TimeSpan(microseconds: .min) },
            { row in for index in row.media.fragments.indices { row.media.fragments[index].isKey = false } },
            { row in row.id = SegmentID(session: .max, counter: .min) },
            { row in row.start = .latest },
        ] as [@Sendable (inout SegmentRow) -> Void])
    func hostile(_ change: @Sendable (inout SegmentRow) -> Void) {
        var rows = session
        change(&rows[1])
        let selection = Selection(rows, from: .earliest, to: .latest, origin: .earliest)
        #expect(selection.pieces.contains { $0.row.id == rows[0].id })
        for (piece, next) in zip(selection.pieces, selection.pieces.dropFirst()) {
            #expect(piece.servedStart <= next.servedStart && piece.start <= next.start)
        }
        let map = ByteMap(selection.pieces)
        #expect(map.length >= 0 && !map.slices(0..<map.length).contains { $0.bytes.isEmpty })
        _ = selection.pieces.flatMap { $0.chunks(of: .seconds(2)) }.map { ($0.bytes, $0.ticks, $0.end) }
    }

    @Test("a fragment that tells another track's time stays between its neighbours")
    func otherTracksTime() {
        var row = SegmentRow.made(0, at: 40, keyEvery: 5)
        row.media.fragments[2].decodeTime = 42 * 8000
        row.media.fragments[7].decodeTime = 1 << 40
        let selection = Selection([row], 40, 50)
        let starts = selection.pieces.flatMap { piece in piece.fragments.map { piece.row.start(ofFragment: $0) } }
        #expect(starts.map { ($0 - epoch).seconds } == [40, 41, 41, 43, 44, 45, 46, 46, 48, 49])
    }

    @Test("gaps are jumps; a missing segment is one however short")
    func gaps() {
        let rows: [SegmentRow] = [
            .made(0, at: 0, seconds: 5), .made(1, at: 6, seconds: 5), .made(3, at: 12, seconds: 5),
            .made(session: 2, 0, at: 18, seconds: 5, since: 18), .made(session: 3, 0, at: 25, seconds: 5, since: 25),
        ]
        let selection = Selection(rows, 0, 100)
        #expect(selection.pieces.map(\.servedStart.seconds) == [0, 6, 12, 18, 25])
        #expect(selection.stretches.map(\.count) == [2, 2, 1])
        #expect(selection.untilFirstGap.pieces.count == 2)
        #expect(selection.formats.count == 1)
    }

    @Test("a change of format parts stretches, gap or not")
    func formats() {
        let rows: [SegmentRow] = [
            .made(0, at: 0), .made(session: 2, 0, at: 10, since: 10, format: 8),
            .made(session: 2, 1, at: 20, since: 10, format: 8),
        ]
        let selection = Selection(rows, 0, 100)
        #expect(selection.formats.map(\.count) == [1, 2] && selection.stretches.map(\.count) == [1, 2])
        #expect(selection.untilFirstGap.pieces.count == 3)
    }

    @Test("a session whose camera's clock ran fast pushes the next one on, once and for all of it")
    func fastClock() {
        // 1,000 s of UTC, in which the camera counted 1,003.
        var rows: [SegmentRow] = [.made(0, at: 0, seconds: 10)]
        rows[0].duration = .seconds(13)
        for index in rows[0].media.fragments.indices {
            rows[0].media.fragments[index].decodeTime = Int64(index) * 117_000
        }
        rows.append(.made(session: 2, 0, at: 12.95, since: 12.95))
        rows.append(.made(session: 2, 1, at: 22.95, since: 12.95))
        let selection = Selection(rows, 0, 100)
        #expect(selection.text == ["1.0[0..<10]@0.0", "2.0[0..<10]@13.0", "2.1[0..<10]@23.0"])
        #expect(Set(selection.pieces.dropFirst().map(\.shift)).count == 1)
        #expect(selection.shifts[2] == .seconds(13))
        // What takes up later where this one is stays on its time line.
        let later = Selection(rows, 30, 100, shifts: selection.shifts)
        #expect(later.text == ["2.1[7..<10]@30.0"])
    }

    @Test("rounding within a session moves nothing")
    func rounding() {
        var rows = session
        for index in rows.indices { rows[index].duration = rows[index].duration + .milliseconds(30) }
        let selection = Selection(rows, 0, 100)
        #expect(Set(selection.pieces.map(\.shift)) == [.zero])
    }

    @Test("after a backward step of the clock the later session is played, without a fragment twice")
    func backwardStep() {
        let rows: [SegmentRow] = [
            .made(0, at: 0, keyEvery: 2), .made(1, at: 10, keyEvery: 2), .made(2, at: 20, keyEvery: 2),
            .made(session: 2, 0, at: 13.5, since: 13.5), .made(session: 2, 1, at: 23.5, seconds: 3, since: 13.5),
        ]
        #expect(
            Selection(rows, 0, 100).text == [
                "1.0[0..<10]@0.0", "1.1[0..<3]@10.0", "2.0[0..<10]@13.5", "2.1[0..<3]@23.5", "1.2[8..<10]@28.0",
            ])
        // A range that begins in what is hidden begins with what is shown.
        #expect(Selection(rows, 14.2, 15).text == ["2.0[0..<2]@13.5"])
    }

    @Test("many short sessions over a long one cost no more than their number")
    func manySessions() {
        let long = SegmentRow.made(0, at: 0, seconds: 20_000)
        let short = (0..<2000).map { SegmentRow.made(session: Int64($0) + 2, 0, at: Double($0) * 10 + 5, seconds: 5) }
        let selection = Selection([long] + short, 0, 20_000)
        #expect(selection.pieces.count == 4000)
        let isRising = zip(selection.pieces, selection.pieces.dropFirst()).allSatisfy { $0.servedEnd <= $1.servedStart }
        #expect(isRising)
    }

    @Test("chunks start with keys, on borders that do not depend on where the range begins")
    func chunks() {
        let row = SegmentRow.made(0, at: 0, seconds: 30, keyEvery: 2)
        func chunks(_ from: Double) -> [Range<Int>] {
            Selection([row], from, 100).pieces.flatMap { $0.chunks(of: .seconds(6)) }.map(\.fragments)
        }
        #expect(chunks(0) == [0..<6, 6..<12, 12..<18, 18..<24, 24..<30])
        #expect(chunks(9) == [8..<12, 12..<18, 18..<24, 24..<30])
        #expect(Piece(row, 0..<30).chunks(of: .seconds(5)).map(\.fragments).first == 0..<6)
        #expect(Piece(row, 0..<30).chunks(of: .seconds(100)).map(\.fragments) == [0..<30])
    }

    @Test("a time line starts at 0 with the track that starts first")
    func startAtZero() {
        var row = SegmentRow.made(0, at: 100)
        row.media.tracks.append(MediaIndex.Track(codec: "aac", timescale: 16_000, baseDecodeTime: 99 * 16_000))
        var selection = Selection([row], 100, 110, origin: epoch)
        selection.startAtZero([0: 100 * 90_000, 1: 99 * 16_000])
        #expect(selection.pieces.map(\.ticks) == [[-99 * 90_000, -99 * 16_000]])
        #expect(selection.pieces.first?.servedStart == .seconds(1))
    }
}
