import Foundation
import TestSupport
import Testing

/// `contrib/bench/year` has a year of 64 cameras; `CVR_YEAR_CAMERAS` says how many cameras' months are asked here, alone
/// on the machine: times are measured.
@Suite(
    "A year of footage", .timeLimit(.minutes(10)),
    .enabled(if: ProcessInfo.processInfo.environment["CVR_YEAR_CAMERAS"] != nil))
struct YearTests {
    @Test("a month's availability, its spans and a day's rows are answered within what a viewer waits, in flat memory")
    func figures() async throws {
        let cameras = ProcessInfo.processInfo.environment["CVR_YEAR_CAMERAS"] ?? "1"
        let folder = FileManager.default.temporaryDirectory.appending(path: "year-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        let done = try await run(Repository.binaries + "/cvr-year", [folder, cameras, "32"], within: .seconds(500))
        print(done.text)
        #expect(done.ending == .exited(0), "\(done.text)\(done.errors)")
    }
}
