import Foundation
import Recording
import TestSupport
import Testing

extension BrowserTests.Recorded {
    @Test("what cvrctl play --at prints shows that camera, from that moment on")
    func printed() async throws {
        struct Printed: Decodable {
            let url: String
        }
        let past = try PastBox.current
        let start = past.hour.start + 3
        let time = WallTime(microseconds: Int64(start * 1e6)).rfc3339
        let done = try await run(
            "\(Repository.binaries)/cvrctl",
            ["--json", "play", "front", "--at", time, "--url", String(past.watched.url.dropLast())])
        let address = try JSONDecoder().decode(Printed.self, from: done.output).url
        try await past.watched.scene("cvrctl-play", at: address) { box in
            try await box.settled()
            let look = try await box.look()
            #expect(look.frames.keys.sorted() == ["front"])
            #expect((start - 0.1..<start + 20).contains(look.time), "\(look.time - start) s")
            #expect(abs(try past.error(of: look.frames["front"] ?? -1, of: "front", at: look.time)) < 0.3)
        }
    }
}
