import Footage
import Testing

/// What playback remembers of a store is bounded, whatever is asked (I9).
@Suite("Footage: what is remembered")
struct RecentTests {
    @Test("at most so many values are kept, those that were asked for last among them")
    func counted() {
        var recent = Recent<Int, Int>(limit: 100)
        for number in 0..<10_000 {
            recent[number] = number
            // Asked for again and again it stays.
            let first = recent[0]
            #expect(first == 0 && recent.count <= 100)
        }
        let found = [recent[9_999], recent[9_990], recent[100]]
        #expect(found == [9_999, 9_990, nil])
    }

    @Test("values are weighed: a few large ones put out many small ones, and one that is too large is alone")
    func weighed() {
        var recent = Recent<String, Int>(limit: 1000) { $0 }
        for number in 0..<400 { recent["small \(number)"] = 1 }
        #expect(recent.count == 400)
        for number in 0..<50 {
            recent["large \(number)"] = 400
            #expect(recent.count <= 2 + 400)
        }
        let found = [recent["small 399"], recent["large 49"]]
        #expect(recent.count == 2 && found == [nil, 400])
        recent["huge"] = 5000
        #expect(recent.count == 1)
        recent["small"] = 1
        #expect(recent.count == 2)
        let small = recent["small"]
        #expect(small == 1)
    }

    @Test("a value that is written again weighs what it weighs now, and none is no value")
    func replaced() {
        var recent = Recent<String, Int>(limit: 1000) { $0 }
        for _ in 0..<100 { recent["one"] = 300 }
        recent["two"] = 150
        let before = recent["one"]
        #expect(recent.count == 2 && before == 300)
        recent["one"] = nil
        let after = recent["one"]
        #expect(recent.count == 1 && after == nil)
    }
}
