import Foundation
import Messages
import TestSupport
import Testing

@Suite("Eight cameras", .showsEvidence, .timeLimit(.minutes(20)))
struct EightCamerasTests {
    @Test("for two minutes leave no gap and a coverage of 100 %")
    func coverage() async throws {
        let run = try await EightCameras.shared.value
        #expect(run.undisturbed.count == 8)
        for camera in run.undisturbed {
            #expect(camera.stored.count >= run.plan.segments)
            #expect(camera.gaps.isEmpty, "\(camera.name): \(camera.gaps)")
            #expect(camera.coverage?.percent == 100, "\(camera.name): \(String(describing: camera.coverage))")
            #expect(camera.sessions.count == 1 && camera.status.restarts == 0, "\(camera.name)")
            let counters = camera.segments.map(\.counter).sorted()
            #expect(counters == Array(0..<Int64(counters.count)), "\(camera.name): counters have holes")
        }
    }

    @Test("lose and repeat no frame over any segment border, by content and by decode time")
    func continuity() async throws {
        let run = try await EightCameras.shared.value
        #expect(run.footage.count == 8)
        for (name, footage) in run.footage {
            #expect(!footage.tracks.isEmpty)
            for track in footage.tracks { #expect(track.isWhole, "\(name): \(track)") }
        }
    }

    @Test("are stored as objects that decode to the last frame")
    func decodable() async throws {
        let run = try await EightCameras.shared.value
        #expect(run.objects >= 8 * run.plan.segments)
        #expect(run.differing.isEmpty, "\(run.differing)")
        for footage in run.footage.values { #expect(footage.complaints.isEmpty, "\(footage.complaints)") }
    }

    @Test("keep segments within a keyframe of their length")
    func lengths() async throws {
        let run = try await EightCameras.shared.value
        for camera in run.undisturbed {
            // Targets stay on a grid: a segment ends at the first keyframe behind its target.
            let longest = Double(run.plan.segmentLength) + 10.5
            for segment in camera.stored { #expect(segment.duration <= longest, "\(camera.name): \(segment)") }
        }
    }

    @Test("cost no descriptor over time")
    func descriptors() async throws {
        let run = try await EightCameras.shared.value
        #expect(run.descriptors.count == 10)
        for (process, early, late) in run.descriptors {
            #expect(late <= early + 3, "\(process.program) \(process.camera ?? ""): \(early), then \(late)")
        }
    }

    @Test("keep their password out of arguments, environments, logs, JSON and files")
    func secrets() async throws {
        let run = try await EightCameras.shared.value
        #expect(run.secretTraces.isEmpty, "\(run.secretTraces)")
    }

    @Test("but one lose nothing while that one's worker is killed again and again")
    func contained() async throws {
        let run = try await EightCameras.shared.value
        #expect(run.kills.count == run.plan.kills)
        for camera in run.disturbed where camera.name != EightCameras.victim {
            #expect(camera.gaps.isEmpty, "\(camera.name): \(camera.gaps)")
            #expect(camera.coverage?.percent == 100, "\(camera.name): \(String(describing: camera.coverage))")
            #expect(camera.sessions.count == 1 && camera.status.restarts == 0, "\(camera.name)")
        }
    }

    @Test("and the killed one loses at most a second, with a reason for every hole")
    func victim() async throws {
        let run = try await EightCameras.shared.value
        let victim = try #require(run.disturbed.first { $0.name == EightCameras.victim })
        // A second that was received, and the frame that was on its way when the signal came.
        let limit = EightCameras.framesPerSecond + 1
        for kill in run.kills { #expect(kill.lost <= limit, "session \(kill.session) lost \(kill.lost) frames") }
        #expect(victim.status.restarts == run.kills.count)
        #expect(victim.gaps.count == run.kills.count, "\(victim.gaps)")
        #expect(victim.gaps.allSatisfy { $0.reason == "workerCrash" && $0.to != nil }, "\(victim.gaps)")
        #expect(Set(victim.gapReasons) == ["workerCrash"], "\(String(describing: victim.coverage))")
        let respawns = run.kills.map(\.respawn).sorted()
        print(
            "respawn after SIGKILL: \(respawns.map { Int($0.seconds * 1000) }) ms; lost: \(run.kills.map(\.lost)) frames"
        )
    }

    @Test("stop cleanly: nothing runs, nothing is half written, every file is whole")
    func stopped() async throws {
        let run = try await EightCameras.shared.value
        #expect(run.ending == .exited(0))
        #expect(run.leftovers.isEmpty, "\(run.leftovers)")
        #expect(run.unreadable.isEmpty, "\(run.unreadable)")
    }
}
