import Foundation
import TestSupport
import Testing

/// A month of 11 cameras is a million segments; `contrib/bench/year` has a year of 64, and holds the times it prints to their
/// limits, which a machine that other tests share does not allow.
@Suite("A million segments of footage", .timeLimit(.minutes(10)))
struct YearTests {
    @Test("a month's availability, its spans and a day's rows are answered in full over HTTP, in flat memory")
    func answers() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "year-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        let done = try await run(Repository.binaries + "/cvr-year", [folder, "11", "32"], within: .seconds(500))
        print(done.text)
        #expect(done.ending == .exited(0) || done.ending == .exited(2), "\(done.text)\(done.errors)")
    }
}
