import Foundation
import HTTP
import ObjectStore
import Playback
import Recording
import TestSupport
import Testing

@Suite("Playback: previews", .timeLimit(.minutes(1)))
struct PreviewsTests {
    /// Seconds of a clip as fragments that start with keyframes, behind their init part.
    private func media(_ clip: String) async throws -> [UInt8] {
        let made = try await run("/usr/bin/python3", [Repository.path("contrib/camera/clips.py"), clip])
        let path = try #require(try JSONDecoder().decode([String: String].self, from: made.output)[clip])
        let cut = try await run(
            "/usr/bin/ffmpeg",
            [
                "-nostdin", "-v", "error", "-i", path, "-t", "2", "-c", "copy", "-f", "mov", "-movflags",
                "empty_moov+default_base_moof+frag_keyframe", "-",
            ])
        return Array(cut.output)
    }

    /// A program in cvr-preview's place.
    private func script(_ text: String) async throws -> String {
        let folder = NSTemporaryDirectory() + "cvr-previews-\(UUID().uuidString.prefix(8))"
        return try await ProgramFolder(folder, replacing: ["cvrd": "", "cvr-ingest": "", "cvr-sync": "", "p": text])
            .path + "/p"
    }

    @Test("many who want one picture get it, made once, its media read once")
    func once() async throws {
        let media = try await media("h264-alaw")
        let previews = Previews(.init(program: Repository.binaries + "/cvr-preview"))
        let reads = Tally()
        let pictures = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for width in [300, 310, 320, 320, 200] {
                group.addTask {
                    try await previews.thumbnail("front 1.0.0", width: width) {
                        await reads.enter()
                        return media
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(pictures).count == 1 && pictures[0].starts(with: [0xFF, 0xD8]))
        #expect(await reads.total == 1)
        let sound = try await previews.audio("front 1.0") { media }
        #expect(sound.count > 4000 && sound[4...].starts(with: Array("ftyp".utf8)))
    }

    @Test("footage that cannot be decoded is said to be so, and asked for once")
    func damaged() async throws {
        let previews = Previews(.init(program: Repository.binaries + "/cvr-preview"))
        let reads = Tally()
        for _ in 0..<3 {
            let error = await #expect(throws: PreviewError.self) {
                try await previews.thumbnail("front 1.0.0", width: 320) {
                    await reads.enter()
                    return Array(repeating: 7, count: 2 << 20)
                }
            }
            #expect(error?.code == .damaged)
        }
        #expect(await reads.total == 1)
    }

    /// `PreviewTests` has cvr-preview's own alarm: cvr-playback is shut in, and ends nobody.
    @Test("what overstays as long as it was told is late, what talks without end too, and what is not there is named")
    func overstaying() async throws {
        let waits = "import signal, sys; signal.alarm(int(sys.argv[1])); signal.pause()"
        var settings = Previews.Settings(
            program: try await script("#!/bin/sh\nexec /usr/bin/python3 -c '\(waits)' \"$@\""))
        settings.limit = 1
        let start = ContinuousClock.now
        #expect(await #expect(throws: PreviewError.self) { try await Previews(settings).audio("a") { [1] } } == .late)
        #expect(ContinuousClock.now - start < .seconds(10))
        settings.program = try await script("#!/bin/sh\nexec cat /dev/zero")
        settings.limit = 20
        settings.largestResult = 1 << 20
        #expect(await #expect(throws: PreviewError.self) { try await Previews(settings).audio("a") { [1] } } == .late)
        settings.program = "/nowhere/cvr-preview"
        let missing = await #expect(throws: PreviewError.self) { try await Previews(settings).audio("a") { [1] } }
        #expect(missing?.code == .unavailable && missing?.message.contains("/nowhere/cvr-preview") == true)
    }

    @Test("a picture of the store takes few reads there, each of which a service bills")
    func reads() async throws {
        let site = try RecordedSite()
        let rows = try site.record(try await EncodedClip(size: "2560x1440", seconds: 2), segments: 1, length: 2)
        let length = try #require(rows.first?.media.fragments.last?.offset) / 2
        let object = try #require(try site.move(rows, to: site.folder + "/store").first)
        let archive = try site.archive(store: FileStore(root: site.folder + "/store")) {
            RecordedSite.start + .seconds(3600)
        }
        let previews = Previews(.init(program: Repository.binaries + "/cvr-preview"))
        try await ServedSite.run(archive, hooks: ServerHooks(previews: previews)) { served in
            let opened = try OpenCount(object)
            let picture = try await served.get("/preview/front.jpg?time=2026-03-01T10:00:01Z")
            #expect(picture.status == 200)
            let count = opened.next()
            print("preview: \(count) reads of \(length) bytes")
            #expect(length > 400_000 && (1...4).contains(count))
        }
    }

    @Test("what nobody waits for any more is not made, and keeps nobody from their turn")
    func gone() async throws {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(), segments: 1, length: 4)
        let (log, door) = (site.folder + "/log", site.folder + "/door")
        #expect(mkfifo(door, 0o600) == 0)
        var settings = Previews.Settings(
            program: try await script("#!/bin/sh\ncat >/dev/null; echo >>'\(log)'; cat '\(door)'"))
        settings.atOnce = 1
        let previews = Previews(settings)
        try await ServedSite.run(try site.archive(), hooks: ServerHooks(previews: previews)) { served in
            let path = { @Sendable (second: Int) in "/preview/front.jpg?time=2026-03-01T10:00:0\(second)Z" }
            async let first = served.get(path(0))
            try await eventually("the first is being made") {
                FileManager.default.fileExists(atPath: log) ? true : nil
            }
            var impatient: [RawConnection] = []
            for second in 1..<3 {
                let connection = try RawConnection(port: served.port)
                connection.send("GET \(path(second)) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                impatient.append(connection)
            }
            try await eventually("two wait") { await previews.waiting == 2 ? true : nil }
            impatient = []
            try await eventually("nobody waits any more") { await previews.waiting == 0 ? true : nil }
            try Data("a picture".utf8).write(to: URL(filePath: door))
            #expect(try await first.body.elementsEqual("a picture".utf8))
            #expect(try Data(contentsOf: URL(filePath: log)).count == 1)
        }
    }

    @Test("two run at a time, and who comes when too many wait is turned away")
    func crowd() async throws {
        var settings = Previews.Settings(program: try await script("#!/bin/sh\ncat >/dev/null; echo done"))
        settings.mostWaiting = 8
        let previews = Previews(settings)
        let tally = Tally()
        let outcomes = await withTaskGroup(of: PreviewError.Code?.self) { group in
            for name in 0..<20 {
                group.addTask {
                    do {
                        _ = try await previews.audio("\(name)") {
                            await tally.enter()
                            await tally.leave()
                            return [1]
                        }
                        return nil
                    } catch {
                        return (error as? PreviewError)?.code
                    }
                }
            }
            return await group.reduce(into: [PreviewError.Code?]()) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == nil } >= 10 && outcomes.contains(.busy))
        #expect(outcomes.allSatisfy { $0 == nil || $0 == .busy })
        #expect(await tally.most <= 2)
    }
}

/// How often a file is opened (inotify(7)).
private final class OpenCount: Sendable {
    private let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))

    init(_ path: String) throws {
        guard inotify_add_watch(descriptor, path, UInt32(IN_OPEN)) >= 0 else { throw Missed("inotify: \(errno)") }
    }

    deinit { close(descriptor) }

    /// Since it was asked last.
    func next() -> Int {
        var events = [UInt8](repeating: 0, count: 1 << 16)
        // Of a file that is watched itself no event has a name.
        return max(0, read(descriptor, &events, events.count)) / MemoryLayout<inotify_event>.size
    }
}

/// Counts who is inside.
private actor Tally {
    private(set) var total = 0
    private(set) var most = 0
    private var inside = 0

    func enter() {
        total += 1
        inside += 1
        most = max(most, inside)
    }

    func leave() { inside -= 1 }
}
