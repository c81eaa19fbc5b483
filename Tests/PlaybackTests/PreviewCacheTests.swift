import Playback
import Testing

@Suite("Playback: remembered previews")
struct PreviewCacheTests {
    @Test("the least recently asked for goes first, and no more is held than may be")
    func order() {
        var cache = PreviewCache(limit: 10_000)
        let picture = PreviewCache.Outcome.success(Array(repeating: 0, count: 2000))
        for name in ["a", "b", "c", "d"] { cache.keep(picture, as: name) }
        #expect(cache.find("a") != nil)
        cache.keep(picture, as: "e")
        #expect(["a", "b", "c", "d", "e"].filter { cache.find($0) != nil } == ["a", "c", "d", "e"])
        #expect(cache.size <= 10_000)
    }

    @Test("failures are remembered too, giants are not, and many uses take no room")
    func failures() {
        var cache = PreviewCache(limit: 4000)
        cache.keep(.failure(.late), as: "f")
        #expect(throws: PreviewError.late) { try cache.find("f")?.get() }
        cache.keep(.success(Array(repeating: 0, count: 2000)), as: "giant")
        #expect(cache.find("giant") == nil)
        for round in 0..<10_000 {
            _ = cache.find("f")
            cache.keep(.success([1]), as: "\(round)")
        }
        #expect(cache.size <= 4000 && cache.count <= 16)
        #expect(cache.find("f") != nil)
    }
}
