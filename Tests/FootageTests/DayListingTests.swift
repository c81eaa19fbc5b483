import Footage
import ObjectStore
import Recording
import TestSupport
import Testing

/// What names of objects tell of a day, and what they do not.
@Suite("Footage: a day's listing")
struct DayListingTests {
    private static let day = WallTime(rfc3339: "2026-03-01T00:00:00Z") ?? .earliest

    /// `counter` at so many seconds of the day.
    private func object(_ counter: Int64, at seconds: Double) throws -> DayListing.Object {
        let site = try #require(SiteName("plant"))
        let key = try #require(
            ObjectKey(site: site, asset: "archive", start: Self.day + TimeSpan(seconds: seconds), counter: counter))
        return DayListing.Object(key: key, bytes: 1000 + counter)
    }

    private func listing(_ objects: [DayListing.Object]) -> DayListing {
        var listing = DayListing()
        listing.add(objects)
        return listing
    }

    /// The counters of each run.
    private func runs(_ listing: DayListing) -> [[Int64]] { listing.runs.map { $0.map(\.key.counter) } }

    @Test("segments whose counters follow one another are one run, in whatever order they are listed")
    func runs() throws {
        let objects = try (0..<20).map { try object(Int64($0), at: Double($0) * 30) }
        #expect(runs(listing(objects.reversed())) == [Array(0..<20)])
        var pages = DayListing()
        pages.add(Array(objects[10...]))
        pages.add(Array(objects[..<12]))
        #expect(pages.objects == objects && runs(pages) == [Array(0..<20)])
        #expect(pages.last == objects[19].key)
    }

    @Test("a missing segment, a pause and a new session each begin a run")
    func borders() throws {
        var objects = try (0..<6).map { try object(Int64($0), at: Double($0) * 30) }
        objects.remove(at: 3)
        // The counters fit, but the time between is no segment's.
        objects += try (6..<9).map { try object(Int64($0), at: 3600 + Double($0) * 30) }
        objects += try (0..<3).map { try object(Int64($0), at: 7200 + Double($0) * 30) }
        #expect(runs(listing(objects)) == [[0, 1, 2], [4, 5], [6, 7, 8], [0, 1, 2]])
    }

    @Test("sessions that overlap after a backward step of the clock are told apart")
    func overlapping() throws {
        let first = try (4..<10).map { try object(Int64($0), at: Double($0) * 30) }
        let second = try (0..<4).map { try object(Int64($0), at: 200 + Double($0) * 30) }
        #expect(runs(listing(first + second)) == [[4, 5, 6, 7, 8, 9], [0, 1, 2, 3]])
    }

    @Test("a day of very many objects is cut, and a listing without any tells nothing")
    func bounds() throws {
        #expect(listing([]).runs.isEmpty && listing([]).last == nil)
        var day = DayListing()
        for page in 0..<11 {
            day.add(
                try (0..<10_000).map { try object(Int64(page * 10_000 + $0), at: Double($0) / 1000 + Double(page)) })
        }
        #expect(day.objects.count <= DayListing.limit)
    }
}
