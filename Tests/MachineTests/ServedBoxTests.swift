import Messages
import TestSupport
import Testing

/// One machine at a time: how fast cvrd takes over is measured.
@Suite("Cameras under systemd", .serialized, .timeLimit(.minutes(10)))
struct ServedBoxTests {
    @Test("lose no frame while cvrd is killed, hangs, is restarted and reloaded (I1, I5)")
    func frames() async throws {
        let run = try await ServedBox.shared.value
        #expect(run.undisturbed.count == ServedBox.names.count)
        for camera in run.undisturbed {
            #expect(camera.sessions == [1] && camera.gaps.isEmpty, "\(camera.name): \(camera.gaps)")
            #expect(camera.coverage?.percent == 100, "\(camera.name): \(String(describing: camera.coverage))")
        }
        var samples = 0
        for name in ServedBox.names {
            let footage = try #require(run.footage[name])
            #expect(footage.complaints.isEmpty && footage.tracks.allSatisfy(\.isWhole), "\(name): \(footage)")
            samples += footage.tracks.reduce(0) { $0 + $1.samples }
        }
        print("\(samples) frames of \(run.footage.count) cameras, none lost")
    }

    @Test("are taken over by the next cvrd within 500 ms of its start, by the same workers")
    func adoption() async throws {
        let run = try await ServedBox.shared.value
        #expect(run.workers.count == ServedBox.names.count)
        let count = { (cause: String) in run.adoptions.count { $0.cause == cause } }
        #expect(count("SIGKILL") == ServedBox.kills && count("SIGSTOP") == 1 && count("restart") == ServedBox.restarts)
        for adoption in run.adoptions {
            #expect(adoption.slowest <= .milliseconds(500), "\(adoption.cause): after \(adoption.slowest)")
            #expect(adoption.workers == run.workers, "\(adoption.cause)")
        }
        for cause in ["SIGKILL", "SIGSTOP", "restart"] {
            let found = run.adoptions.filter { $0.cause == cause }
            print(
                "\(cause): all taken over after", found.map { Int($0.slowest.seconds * 1000) }, "ms;",
                "cvrd away for", found.map { Int($0.away.seconds * 1000) }, "ms")
        }
    }

    @Test("are told of in a status line; a reload ends when it is in force, and fails when it is refused")
    func reload() async throws {
        let run = try await ServedBox.shared.value
        #expect(run.status.hasPrefix("16 cameras: 16 recording; sync "), "\(run.status)")
        #expect(run.reloads.first == .exited(0) && run.reloads.last == .exited(0) && run.reloads[1] != .exited(0))
    }

    @Test("record again after a kill -9 of everything, with a gap and its reason")
    func everything() async throws {
        let run = try await ServedBox.shared.value
        for camera in run.recovered {
            #expect(camera.sessions == [1, 2], "\(camera.name)")
            #expect(camera.gaps.count == 1 && camera.gaps.allSatisfy { $0.reason != "unknown" }, "\(camera.gaps)")
        }
    }

    @Test("stop with nothing left running and every recording closed, whatever state cvrd is in")
    func stop() async throws {
        let run = try await ServedBox.shared.value
        #expect(run.stops.map(\.state) == ["running", "SIGSTOPped", "auto-restart"])
        for stop in run.stops { #expect(stop.leftovers.isEmpty, "\(stop.state): \(stop.leftovers)") }
        print("stopped after", run.stops.map { "\($0.state) \(Int($0.took.seconds * 1000)) ms" })
    }
}
