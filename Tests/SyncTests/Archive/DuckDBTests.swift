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
    /// Camera, day, recorded, expired, evicted, gaps; empty where DuckDB says NULL.
    private func answer(of rig: Rig) async throws -> [[String]] {
        let page = try String(contentsOfFile: Repository.path("etc/man/cvr-store.7"), encoding: .utf8)
        let query = try #require(page.firstMatch(of: /(?s)\.EX\n(SELECT.*?)\.EE/)).output.1
            .replacing("\\(aq", with: "'").replacing("STORE/SITE", with: "\(rig.root)/store/plant")
        let python = try #require(ProcessInfo.processInfo.environment["CVR_DUCKDB"])
        let code = """
            import duckdb, json, sys
            rows = duckdb.sql(sys.argv[1]).fetchall()
            print(json.dumps([["" if value is None else str(value) for value in row] for row in rows]))
            """
        let done = try await run(python, ["-c", code, String(query)])
        #expect(done.ending == .exited(0), "\(done.errors)")
        return try JSONDecoder().decode([[String]].self, from: done.output)
    }

    @Test("a coverage question over days is one query")
    func coverage() async throws {
        let rig = try await SummaryTests().nightBox()
        rig.clock.advance(.seconds(2 * 86_400))
        try rig.sync()
        #expect(
            try await answer(of: rig) == [
                ["front", "2026-11-23", "4.0", "", "", "1"], ["front", "2026-11-24", "4.0", "", "", "1"],
            ])
    }

    @Test("where nothing was lost the answer is the same query's")
    func whole() async throws {
        let rig = try Rig()
        rig.clock.step(SummaryTests.evening - rig.clock.now)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        try rig.sync()
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try rig.summary("2026-11-23").allSatisfy { $0["from"] == nil })
        #expect(try await answer(of: rig) == [["front", "2026-11-23", "4.0", "", "", "0"]])
    }

    @Test("what expired and what was evicted is told apart")
    func lost() async throws {
        let rig = try Rig()
        rig.clock.step(SummaryTests.evening - rig.clock.now)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<3 { try recorder.record() }
        try rig.sync()
        rig.settings.cameras[rig.front] = SyncSettings.Camera(
            asset: "archive", retention: .seconds(3 * 86_400), cacheBudget: 1, dropsOldest: true)
        // A budget spares the two that closed last.
        for _ in 0..<3 { try recorder.record() }
        let work = try rig.workspace()
        for _ in 0..<3 { try rig.survey(rig.front, work) }
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try await answer(of: rig) == [["front", "2026-11-23", "10.0", "", "2.0", "0"]])
        for _ in 0..<5 {
            rig.clock.advance(.seconds(86_400))
            try rig.sync()
        }
        #expect(try await answer(of: rig) == [["front", "2026-11-23", "", "10.0", "2.0", "0"]])
    }
}
