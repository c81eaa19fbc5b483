import Glibc
import Isolation
import Messages
import Testing

/// The tests' own tidiness: what one leaves running falsifies the times of the next.
@Suite("Supervision: a test that fails", .timeLimit(.minutes(1)))
struct SessionTests {
    @Test("leaves no process, not even one that stands still")
    func failure() async throws {
        var left: [RunningProcess] = []
        do {
            try await fail(leaving: &left)
            Issue.record("it did not fail")
        } catch is Session.Unexpected {}
        #expect(left.count == 2)
        for process in left { #expect(await process.exit() != nil) }
    }

    private func fail(leaving processes: inout [RunningProcess]) async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        try box.say("front", [try ScriptedWorker.hello("front")])
        try await withSession(box) { session in
            let sync = try await session.events.next("syncStarted").detail.split(separator: " ").last
            _ = try await session.configured("front")
            let worker = try #require(try await session.camera("front").pid)
            for pid in [try #require(sync.flatMap { Int32($0) }), Int32(worker)] {
                processes.append(try #require(try RunningProcess.adopt(pid: pid)))
            }
            kill(Int32(worker), SIGSTOP)
            throw Session.Unexpected()
        }
    }
}
