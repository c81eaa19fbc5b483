import Foundation
import Recording
import Sync
import TestSupport
import Testing

/// Day summaries as a fleet's catalog: the query that cvr-store(7) shows, by DuckDB from PyPI.
@Suite(
    "Summaries in DuckDB",
    .enabled(if: ProcessInfo.processInfo.environment["CVR_DUCKDB"] != nil, "CVR_DUCKDB names a Python that has it"))
struct DuckDBTests {
    @Test("a coverage question over days is one query")
    func coverage() async throws {
        let rig = try await SummaryTests().nightBox()
        rig.clock.advance(.seconds(2 * 86_400))
        try rig.sync()
        let page = try String(contentsOfFile: Repository.path("etc/man/cvr-store.7"), encoding: .utf8)
        let query = try #require(page.firstMatch(of: /(?s)\.EX\n(SELECT.*?)\.EE/)).output.1
            .replacing("\\(aq", with: "'").replacing("STORE/SITE", with: "\(rig.root)/store/plant")
        let python = try #require(ProcessInfo.processInfo.environment["CVR_DUCKDB"])
        let code = "import duckdb, json, sys; print(json.dumps(duckdb.sql(sys.argv[1]).fetchall(), default=str))"
        let done = try await run(python, ["-c", code, String(query)])
        #expect(done.ending == .exited(0), "\(done.errors)")
        let rows = try #require(JSONSerialization.jsonObject(with: done.output) as? [[Any]])
        let days = rows.map { row in row.map { "\($0)" } }
        #expect(days.map { $0[1] } == ["2026-11-23", "2026-11-24"])
        #expect(days.compactMap { Double($0[2]) } == [4, 4])
        #expect(days.map { $0[4] } == ["1", "1"])
    }
}
