import Glibc
import Isolation
import Messages
import Recording
import Supervision
import Testing
import YAMLConfiguration

@Suite("Supervision: sweep", .timeLimit(.minutes(1)))
struct SweepTests {
    @Test("ends the workers and the cvr-sync that a cvrd left, of this box and no other, whatever cvr.yaml says")
    func leftovers() async throws {
        let (box, other) = (try TemporaryBox(), try TemporaryBox())
        let (left, neighbour) = (try await leave(box), try await leave(other))
        let mistaken = "runtime: { path: \(box.root)/run }\ncache: { path: \(box.root)/cache, what: 1 }\n"
        try SmallFileFixture.write(mistaken, "\(box.root)/cvr.yaml")
        let places = Places(box.files.directories())
        #expect(await Sweep(places).run() == [])
        for process in left { #expect(await process.exit(within: .seconds(5)) != nil) }
        for process in neighbour { #expect(process.signal(0)) }
        #expect(await Sweep(try other.places()).run() == [])
        #expect(await Sweep(places).run() == [])
    }

    @Test("ends a cvr-sync that takes the question and never answers")
    func mute() async throws {
        let box = try TemporaryBox()
        try box.script("cvr-sync", Self.muteSync)
        let left = try await leave(box)
        #expect(await Sweep(try box.places()).run() == [])
        for process in left { #expect(await process.exit(within: .seconds(5)) != nil) }
    }

    /// Listens, as one does that hangs in its store.
    private static let muteSync = """
        #!/usr/bin/python3
        import signal, socket, sys
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[2] + "/sync.sock")
        listener.listen()
        signal.pause()
        """

    /// The processes that a cvrd started and left running.
    private func leave(_ box: TemporaryBox) async throws -> [RunningProcess] {
        try box.configure("{ front: { url: rtsp://h/a }, yard: { url: rtsp://h/b } }")
        for name in ["front", "yard"] { try box.say(name, [try ScriptedWorker.hello(name)]) }
        return try await withSession(box) { session in
            var pids: [Int32] = []
            for name in ["front", "yard"] {
                _ = try await session.configured(name)
                pids.append(Int32(try #require(try await session.camera(name).pid)))
            }
            let sync = try await session.events.next("syncStarted")
            pids.append(try #require(sync.detail.split(separator: " ").last.flatMap { Int32($0) }))
            await session.leave()
            return try pids.map { try #require(try RunningProcess.adopt(pid: $0)) }
        }
    }
}
