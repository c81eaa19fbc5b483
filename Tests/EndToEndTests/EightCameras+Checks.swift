import Messages
import TestSupport
import Testing

/// What every such run has to show, the short one of `contrib/test` and the long one of `contrib/soak`.
extension EightCameras {
    func checkUndisturbed() {
        #expect(undisturbed.count == plan.cameras)
        for camera in undisturbed {
            #expect(camera.stored.count >= plan.segments)
            checkUnbroken(camera)
            let counters = camera.segments.map(\.counter).sorted()
            #expect(counters == Array(0..<Int64(counters.count)), "\(camera.name): counters have holes")
        }
    }

    func checkContinuity() {
        #expect(footage.count == plan.cameras)
        for (name, sessions) in footage {
            for (session, footage) in sessions {
                #expect(footage.tracks.first?.isWhole == true, "\(name), session \(session): \(footage.tracks)")
                for track in footage.tracks.dropFirst() {
                    // A worker that is killed in its first second may have no sound yet.
                    let isYoung = session > 1 && track.samples == 0
                    #expect(track.isWhole || isYoung, "\(name), session \(session): \(track)")
                }
            }
        }
    }

    func checkObjects() {
        #expect(objects >= plan.cameras * plan.segments)
        #expect(differing.isEmpty, "\(differing)")
        for footage in footage.values.flatMap(\.values) {
            #expect(footage.complaints.isEmpty, "\(footage.complaints)")
        }
    }

    func checkLengths() {
        // Targets stay on a grid: a segment ends at the first keyframe behind its target.
        let longest = Double(plan.segmentLength) + 10.5
        for camera in undisturbed {
            for segment in camera.stored { #expect(segment.duration <= longest, "\(camera.name): \(segment)") }
        }
    }

    func checkDescriptors() {
        #expect(descriptors.count == plan.cameras + 2)
        for (process, early, late) in descriptors {
            let counts = "\(process.program) \(process.camera ?? ""): \(early), then \(late)"
            // A process that is gone has none.
            #expect(early > 0 && late > 0 && late <= early + 3, "\(counts)")
        }
    }

    func checkSecrets() { #expect(secretTraces.isEmpty, "\(secretTraces)") }

    func checkContained() {
        #expect(kills.count == plan.kills)
        for camera in disturbed where camera.name != Self.victim { checkUnbroken(camera) }
    }

    func checkVictim() throws {
        let victim = try #require(disturbed.first { $0.name == Self.victim })
        for kill in kills {
            // A second that was received, and the frame that was on its way when the signal came.
            #expect(kill.lost <= Self.framesPerSecond + 1, "session \(kill.session) lost \(kill.lost) frames")
            #expect(kill.respawn <= .milliseconds(100), "session \(kill.session) was followed after \(kill.respawn)")
        }
        #expect(victim.status.restarts == plan.kills + plan.earlyKills)
        // A worker that is killed before it records leaves the gap of its predecessor open.
        #expect((plan.kills...plan.kills + plan.earlyKills).contains(victim.gaps.count), "\(victim.gaps)")
        #expect(victim.gaps.allSatisfy { $0.reason == "workerCrash" && $0.to != nil }, "\(victim.gaps)")
        let reasons: Set = plan.kills == 0 ? [] : ["workerCrash"]
        #expect(Set(victim.gapReasons) == reasons, "\(String(describing: victim.coverage))")
    }

    func checkEnd() {
        #expect(ending == .exited(0))
        #expect(leftovers.isEmpty, "\(leftovers)")
        #expect(unreadable.isEmpty, "\(unreadable)")
    }

    private func checkUnbroken(_ camera: RecordedCamera) {
        #expect(camera.gaps.isEmpty, "\(camera.name): \(camera.gaps)")
        #expect(camera.coverage?.percent == 100, "\(camera.name): \(String(describing: camera.coverage))")
        #expect(camera.sessions.count == 1 && camera.status.restarts == 0, "\(camera.name)")
    }
}
