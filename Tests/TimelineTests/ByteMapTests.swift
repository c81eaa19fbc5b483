import Recording
import Testing
import Timeline

@Suite("Timeline: bytes of a range")
struct ByteMapTests {
    private let map = ByteMap(
        Selection([.made(0, at: 0), .made(1, at: 10), .made(session: 2, 0, at: 30, since: 30)], 3, 33).pieces)

    @Test("one init part, then each piece's bytes; the length follows from the rows")
    func length() {
        #expect(map.initLength == 1000 && map.length == 1000 + 7000 + 10_000 + 3000)
        #expect(
            map.slices(0..<map.length) == [
                ByteMap.Slice(piece: nil, bytes: 0..<1000), ByteMap.Slice(piece: 0, bytes: 4000..<11_000),
                ByteMap.Slice(piece: 1, bytes: 1000..<11_000), ByteMap.Slice(piece: 2, bytes: 1000..<4000),
            ])
    }

    @Test("any range is made of the same bytes, however it is cut")
    func ranges() {
        let all = map.slices(0..<map.length).flatMap(places)
        for (start, end) in [(0, 1), (999, 1001), (1000, 8000), (7999, 8001), (500, 20_999), (20_999, 21_000)] {
            let found = map.slices(Int64(start)..<Int64(end)).flatMap(places)
            #expect(found == Array(all[start..<end]))
        }
    }

    @Test("what lies past the end is left out")
    func pastTheEnd() {
        #expect(map.slices(21_000..<30_000).isEmpty && map.slices(20_999..<Int64.max).flatMap(places).count == 1)
        #expect(ByteMap([]).length == 0 && ByteMap([]).slices(0..<10).isEmpty)
    }

    @Test("a whole segment's bytes are where they are on disk")
    func whole() {
        let map = ByteMap(whole: .made(0, at: 0), shift: .seconds(5))
        #expect(map.length == 11_000)
        let isInPlace = map.slices(0..<11_000).allSatisfy { map.slices($0.bytes) == [$0] }
        #expect(isInPlace)
    }

    private func places(_ slice: ByteMap.Slice) -> [String] { slice.bytes.map { "\(slice.piece ?? -1):\($0)" } }
}
