import Messages
import Recording
import TestSupport
import Testing

@Suite("An odd stream", .showsEvidence(of: OddStreams.evidence), .timeLimit(.minutes(20)))
struct OddStreamTests {
    func camera(_ name: String) async throws -> (run: OddStreams, camera: RecordedCamera) {
        let run = try await OddStreams.shared.value
        return (run, try #require(run.cameras[name]))
    }

    /// It was recorded from one end to the other: frames, times, no gap, no second session.
    func expectWhole(_ name: String) async throws {
        let (run, camera) = try await camera(name)
        #expect(camera.gaps.isEmpty, "\(camera.gaps)")
        #expect(camera.coverage?.percent == 100, "\(String(describing: camera.coverage))")
        #expect(camera.sessions.count == 1)
        for footage in try #require(run.footage[name]) {
            #expect(footage.complaints.isEmpty, "\(footage.complaints)")
            for track in footage.tracks { #expect(track.isWhole, "\(track)") }
        }
    }

    /// The camera never stopped sending: what it sent is there, over the borders of sessions too.
    private func expectEveryFrame(of name: String, _ run: OddStreams) throws {
        let sessions = try #require(run.footage[name])
        for track in sessions.flatMap(\.tracks) {
            #expect(track.foreign == 0 && track.duplicated == 0 && track.lost == 0, "\(track)")
        }
        for (earlier, later) in zip(sessions, sessions.dropFirst()) {
            for (end, start) in zip(earlier.tracks, later.tracks) {
                #expect(end.isFollowed(by: start), "\(end), then \(start)")
            }
        }
    }

    @Test("decodes, whatever was odd about it")
    func decodable() async throws {
        let run = try await OddStreams.shared.value
        #expect(run.footage.count == OddStreams.clips.count)
        for (name, footage) in run.footage where name != "lossy" {
            let complaints = footage.flatMap(\.complaints)
            #expect(complaints.isEmpty, "\(name): \(complaints)")
        }
    }

    @Test(
        "that changes its resolution goes on in a new segment of the same session",
        arguments: ["resized", "resized-h265"])
    func resized(name: String) async throws {
        let (run, camera) = try await camera(name)
        let sizes = try #require(run.sizes[name])
        #expect(sizes.first == [320, 240])
        #expect(sizes.last == [480, 272])
        #expect(camera.sessions.count == 1)
        #expect(camera.status.width == 480 && camera.status.height == 272)
        // Every frame of both clips, to the last before the keyframe that was replaced and from the first after it.
        let (before, after) = try #require(run.halves[name])
        let (last, next) = (before.tracks[0], after.tracks[0])
        #expect(last.isWhole && next.isWhole, "\(last), then \(next)")
        let group = name == "resized" ? 25 : 30
        #expect(last.last.map { ($0 + 1) % group == 0 } == true && next.first == 0, "\(last), then \(next)")
        for track in try #require(run.footage[name]?.first?.tracks) { #expect(track.breaks == 0, "\(track)") }
        for track in try #require(run.footage[name]?.first?.tracks.dropFirst()) { #expect(track.isWhole, "\(track)") }
        #expect(camera.gaps.isEmpty, "\(camera.gaps)")
        #expect(camera.coverage?.percent == 100, "\(String(describing: camera.coverage))")
    }

    @Test("whose audio starts late is recorded from its first picture on")
    func lateAudio() async throws {
        let (run, camera) = try await camera("late-audio")
        #expect(camera.gaps.isEmpty, "\(camera.gaps)")
        #expect(camera.coverage?.percent == 100, "\(String(describing: camera.coverage))")
        let video = try #require(run.footage["late-audio"]?.first?.tracks.first)
        #expect(video.isWhole, "\(video)")
        let audio = try #require(run.footage["late-audio"]?.last?.tracks.last)
        #expect(audio.samples > 0 && audio.lost == 0 && audio.foreign == 0, "\(audio)")
    }

    @Test("whose timestamps jump keeps every frame and accounts for every second", arguments: ["forward", "back"])
    func jump(name: String) async throws {
        let (run, camera) = try await camera(name)
        try expectEveryFrame(of: name, run)
        let told = try #require(run.jumped[name]?.lastError, "status never said so")
        #expect(!told.message.isEmpty && !told.nextStep.isEmpty)
        #expect(!camera.gapReasons.contains("unknown"), "\(String(describing: camera.coverage))")
        #expect(camera.coverage.map { $0.percent > 80 } == true, "\(String(describing: camera.coverage))")
        // An hour of the camera's clock is not an hour of ours.
        let starts = camera.closed.compactMap { WallTime(rfc3339: $0.start) }
        #expect(starts == starts.sorted())
        let first = try #require(starts.first)
        for start in starts { #expect(start - first < .seconds(120)) }
        #expect(camera.segments.allSatisfy { $0.duration >= 0 && $0.duration < 30 }, "\(camera.segments)")
        #expect(camera.status.restarts == 0)
    }

    @Test("whose timestamps freeze has no negative duration and no silent loss")
    func frozen() async throws {
        let (run, camera) = try await camera("frozen")
        try expectEveryFrame(of: "frozen", run)
        #expect(camera.segments.allSatisfy { $0.duration >= 0 && $0.duration < 30 }, "\(camera.segments)")
        #expect(!camera.gapReasons.contains("unknown"), "\(String(describing: camera.coverage))")
        #expect(camera.status.state == "recording")
        #expect(camera.status.restarts == 0)
    }

    @Test("that pauses for seconds leaves one gap of that length, and goes on in the same session")
    func paused() async throws {
        let (run, camera) = try await camera("paused")
        #expect(camera.gaps.count == 1 && camera.gaps.allSatisfy { $0.reason == "networkLoss" }, "\(camera.gaps)")
        let gap = try #require(camera.gaps.first)
        let from = try #require(WallTime(rfc3339: gap.from))
        let to = try #require(gap.to.flatMap { WallTime(rfc3339: $0) })
        #expect(to - from > .seconds(2) && to - from < .seconds(10), "\(gap)")
        #expect(camera.sessions.count == 1 && camera.status.restarts == 0)
        let video = try #require(run.footage["paused"]?.first?.tracks.first)
        // Every frame that was sent is there, and what was not sent is as long as the gap says.
        #expect(video.duplicated == 0 && video.foreign == 0, "\(video)")
        #expect(abs(Double(video.lost) / 25 - (to - from).seconds) < 0.1, "\(video), \(gap)")
    }

    @Test("that loses packets over UDP stays one recording, its sound in step with its picture")
    func lossy() async throws {
        let (run, camera) = try await camera("lossy")
        #expect(camera.status.state == "recording" && camera.status.restarts == 0)
        #expect(camera.gaps.isEmpty && camera.sessions.count == 1, "\(camera.gaps)")
        #expect(camera.coverage?.percent == 100, "\(String(describing: camera.coverage))")
        let tracks = try #require(run.footage["lossy"]?.first?.tracks)
        #expect(tracks.count == 2)
        // Opus frames come whole or not at all; whatever came is kept in its place.
        #expect(tracks[1].lost > 0 && tracks[1].duplicated == 0 && tracks[1].foreign == 0, "\(tracks[1])")
        for track in tracks { #expect(track.breaks == 0, "\(track)") }
        #expect(try #require(run.unevenness["lossy"]) < 0.3)
    }

    @Test("with keyframes of 2 MB is recorded whole")
    func huge() async throws { try await expectWhole("huge") }

    @Test("with a group of pictures longer than a segment has fragments of a second all the same")
    func long() async throws {
        try await expectWhole("long")
        let (run, camera) = try await camera("long")
        #expect(try #require(run.longestFragment["long"]) <= 1.2)
        #expect(camera.stored.allSatisfy { abs($0.duration - 10) < 0.2 }, "\(camera.stored)")
    }

    @Test("with reordered pictures is recorded whole")
    func reordered() async throws { try await expectWhole("reordered") }

    @Test("without video is recorded whole")
    func sound() async throws { try await expectWhole("sound") }
}
