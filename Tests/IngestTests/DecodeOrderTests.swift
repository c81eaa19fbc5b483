import Ingest
import Recording
import Testing

@Suite("DecodeOrder")
struct DecodeOrderTests {
    /// Presentation times in decoding order, in frames of 40 ms at 90 kHz.
    func run(_ order: inout DecodeOrder, _ display: [Int64], flush: Bool = true) -> [TimedFrame] {
        var frames = display.flatMap {
            order.add(
                TimedFrame(
                    track: 0, presentation: $0 * 3600, isSync: false, arrival: MonotonicTime(microseconds: 0), data: [])
            )
        }
        if flush { frames += order.flush() }
        return frames
    }

    @Test("without reordering decoding and presentation are one")
    func plain() {
        var order = DecodeOrder(depth: 0)
        let frames = run(&order, Array(0..<10))
        #expect(frames.map(\.decode) == (0..<10).map { $0 * 3600 })
        #expect(frames.allSatisfy { $0.decode == $0.presentation })
    }

    @Test("a time that does not rise is moved up by one tick and counted")
    func repair() {
        var order = DecodeOrder(depth: 0)
        let frames = run(&order, [0, 1, 1, 1, 2])
        #expect(frames.map(\.decode) == [0, 3600, 3601, 3602, 7200])
        #expect(order.repairs == 2)
    }

    @Test(
        "pictures that are reordered keep their presentation, decode evenly and never after it",
        arguments: [
            (1, [0, 2, 1, 4, 3, 6, 5, 8, 7]),
            (2, [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11]),
            // Closed groups of pictures, one after another.
            (2, [0, 3, 1, 2, 4, 7, 5, 6, 8, 11, 9, 10]),
        ] as [(Int, [Int64])])
    func reordered(depth: Int, display: [Int64]) {
        var order = DecodeOrder(depth: depth)
        let frames = run(&order, display)
        #expect(frames.map(\.presentation) == display.map { $0 * 3600 })
        #expect(frames.allSatisfy { $0.decode <= $0.presentation })
        let decode = frames.map(\.decode)
        #expect(zip(decode, decode.dropFirst()).allSatisfy { $0 < $1 })
        #expect(order.repairs == 0)
        // From the first known spacing on.
        #expect(zip(decode.dropFirst(depth), decode.dropFirst(depth + 1)).allSatisfy { $1 - $0 == 3600 })
    }

    @Test(
        "the next decode time is known as soon as the next presentation time is",
        arguments: [
            (0, [0, 1, 2, 2, 3]), (1, [0, 2, 1, 4, 3]), (2, [0, 4, 2, 1, 3, 8, 6, 5, 7]), (1, [0, 4, 2, 1, 3, 8, 6]),
        ] as [(Int, [Int64])])
    func next(depth: Int, display: [Int64]) {
        var order = DecodeOrder(depth: depth)
        for (index, shown) in display.enumerated() {
            let promised = order.decode(ofNext: shown * 3600)
            let frames = run(&order, [shown], flush: false)
            #expect((promised == nil) == (index <= depth))
            if let promised { #expect(frames.map(\.decode) == [promised]) }
        }
    }

    @Test("an order that joins begins where the one before was told to end", arguments: [0, 1, 2])
    func joins(depth: Int) {
        var order = DecodeOrder(depth: depth, after: 100, joins: true)
        let frames = run(&order, [1, 3, 2, 4])
        #expect(frames.first?.decode == 100)
        #expect(frames.allSatisfy { $0.decode <= $0.presentation })
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.decode < $1.decode })
    }

    @Test("frames are held only until their spacing is known, and flushed when nothing follows")
    func holds() {
        var order = DecodeOrder(depth: 2)
        #expect(run(&order, [0, 2], flush: false).isEmpty)
        #expect(order.flush().count == 2)
        #expect(order.flush().isEmpty)
        #expect(run(&order, [1], flush: false).count == 1)
    }

    @Test("more reordering than promised is repaired, and nothing is lost")
    func liar() {
        var order = DecodeOrder(depth: 1)
        let frames = run(&order, [0, 4, 2, 1, 3, 8, 6, 5, 7])
        #expect(frames.count == 9)
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.decode < $1.decode })
    }

    @Test("decode times stay behind what was given out before")
    func floor() {
        var order = DecodeOrder(depth: 2, after: 1_000_000)
        #expect(run(&order, [0, 2, 1]).map(\.decode) == [1_000_000, 1_000_001, 1_000_002])
    }

    @Test("no presentation time traps", arguments: [Int64.min, .max])
    func hostile(time: Int64) {
        var order = DecodeOrder(depth: 3, after: time)
        for presentation in [time, .max, .min, 0, time, .max, .min] {
            _ = order.add(
                TimedFrame(
                    track: 0, presentation: presentation, isSync: true, arrival: MonotonicTime(microseconds: 0),
                    data: []))
        }
        _ = order.flush()
    }
}
