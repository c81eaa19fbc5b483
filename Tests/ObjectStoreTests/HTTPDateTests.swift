import HTTP
import ObjectStore
import Recording
import Synchronization
import Testing

@Suite("Time of a service")
struct HTTPDateTests {
    @Test(
        "dates are those of RFC 9110",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"),
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            ("Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59Z"),
            ("Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59Z"),
        ])
    func dates(text: String, time: String) throws {
        let moment = try #require(WallTime(rfc3339: time))
        #expect(moment.httpDate == text)
        #expect(WallTime(httpDate: text) == moment)
    }

    @Test(
        "what is no date is none",
        arguments: ["", "Sun", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Foo 1994 08:49:37 GMT", "a b c d e GMT"])
    func nonsense(text: String) { #expect(WallTime(httpDate: text) == nil) }

    @Test("a clock that is far off is corrected once by what the service says, and one that is not stays")
    func correction() throws {
        let local = Mutex(try #require(WallTime(rfc3339: "2020-01-01T00:00:00Z")))
        let clock = ServiceClock { local.withLock { $0 } }
        let response = HTTPResponse(status: 403, headers: ["Date": "Mon, 23 Nov 2026 09:48:00 GMT"])
        #expect(clock.learn(from: response, signedAt: clock.now))
        #expect(clock.now.rfc3339 == "2026-11-23T09:48:00.000Z")
        #expect(!clock.learn(from: response, signedAt: clock.now))
        local.withLock { $0 = WallTime(rfc3339: "2026-11-23T09:49:00Z") ?? $0 }
        #expect(clock.learn(from: response, signedAt: clock.now))
        #expect(!clock.learn(from: HTTPResponse(status: 403), signedAt: clock.now))
        let wrong = HTTPResponse(status: 403, headers: ["date": "Thu, 01 Jan 1970 00:00:00 GMT"])
        #expect(!clock.learn(from: wrong, signedAt: clock.now))
        // Two were under way together: each is sent again.
        let moment = try #require(WallTime(rfc3339: "2020-01-01T00:00:00Z"))
        #expect(clock.learn(from: response, signedAt: moment) && clock.learn(from: response, signedAt: moment))
    }
}
