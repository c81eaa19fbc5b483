import Foundation
import Messages
import TestSupport
import Testing

/// A worker that dies at every start, for as long as it takes to settle: `contrib/test --all`.
@Suite("A worker that cannot run", .showsEvidence, .timeLimit(.minutes(10)))
struct CrashLoopTests {
    @Test("is started at most every 30 s, is never given up, costs next to nothing, and no neighbour a frame (I1)")
    func settles() async throws {
        try await Machine.shared.place {
            try await withCameras(["front", "yard"].map { .init($0, clip: "h264-video") }) { box, _ in
                try await box.start(programs: try await Self.programs(in: "\(box.root)/bin"))
                try await box.until(["front"], are: "flapping", within: .seconds(90))
                let supervisor = try #require(box.processes().first { $0.program == "cvrd" })
                let (seen, spent) = (try await box.events.lines.count, try supervisor.processorTime)
                let begin = ContinuousClock.now
                let states = try await states(of: "front", in: box, during: .seconds(70))
                let took = ContinuousClock.now - begin
                let share = (try supervisor.processorTime - spent).seconds / took.seconds
                let starts = try await box.events.lines.dropFirst(seen).count {
                    $0.contains("\"workerStarted\"") && $0.contains("\"front\"")
                }
                print("in \(took): \(starts) starts, \(share * 100) % of a processor, states \(states.sorted())")
                #expect((1...3).contains(starts))
                #expect(states.isSubset(of: ["flapping", "recording"]), "\(states)")
                #expect(share < 0.01, "cvrd and its dead take \(share * 100) % of a processor")
                try await expectUnharmed("yard", in: box)
                #expect(try await box.stop() == .exited(0))
            }
        }
    }

    /// A folder whose cvr-ingest aborts at the first fragment of one camera, every time.
    private static func programs(in folder: String) async throws -> String {
        let worker = """
            #!/bin/sh
            [ "$2" != front ] || export CVR_FAILPOINT=append.written:1=abort
            exec \(Repository.binaries)/cvr-ingest "$@"
            """
        return try await ProgramFolder(folder, replacing: ["cvr-ingest": worker]).path
    }

    /// Every state that a camera is seen in for so long; asked seldom, since the answers cost cvrd time too.
    private func states(of camera: String, in box: Box, during limit: Duration) async throws -> Set<String> {
        let end = ContinuousClock.now + limit
        var states: Set<String> = []
        try await eventually("the time is over", within: limit + .seconds(20), every: .seconds(2)) {
            states.insert(try await box.status(of: camera).state)
            return ContinuousClock.now > end ? true : nil
        }
        return states
    }
}
