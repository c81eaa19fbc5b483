import Foundation
import Messages
import TestSupport
import Testing

/// `cvrctl doctor` on boxes that are ill, and on one that is well.
@Suite("Doctor", .showsEvidence, .timeLimit(.minutes(5)))
struct DoctorTests {
    private func examine(_ box: Box) async throws -> (checks: [Admin.Check], ending: Ending) {
        let done = try await box.run(["--json", "doctor"])
        return (try JSONDecoder().decode([Admin.Check].self, from: done.output), done.ending)
    }

    private func expect(
        _ name: String, of camera: String? = nil, _ verdict: Admin.Check.Verdict, in checks: [Admin.Check],
        says word: String? = nil
    ) {
        let found = checks.first { $0.name == name && $0.camera == camera }
        #expect(found?.verdict == verdict.rawValue, "\(name): \(checks)")
        if let word { #expect(found?.message.contains(word) == true, "\(name): \(String(describing: found))") }
        #expect((found?.nextStep.isEmpty == true) == (verdict == .ok), "\(String(describing: found))")
    }

    @Test("says what is wrong with the clock, a slow disk, a camera that is away, keyframes far apart and the store")
    func ill() async throws {
        try await Machine.shared.place {
            try await withCameras(
                [.init("pond", clip: "h264-gop10")],
                settings: {
                    $0.cameras.append(.init("away", url: "rtsp://127.0.0.1:9/away"))
                    $0.trustsClock = false
                }
            ) { box, _ in
                let illness = try await Self.illness(in: box.root)
                try await box.start(environment: ["LD_PRELOAD": illness, "CVR_SANDBOX": "landlock:0"])
                let (checks, ending) = try await eventually("a second keyframe", within: .seconds(60)) {
                    let found = try await examine(box)
                    let keyframes = found.checks.first { $0.name == "keyframes" && $0.camera == "pond" }
                    return keyframes?.message.contains("every") == true ? found : nil
                }
                #expect(ending == .exited(1))
                expect("clock", .failed, in: checks)
                expect("cacheDisk", .warning, in: checks, says: "p99")
                expect("stateDisk", .warning, in: checks, says: "p99")
                expect("service", .warning, in: checks, says: "by hand")
                expect("camera", of: "away", .failed, in: checks, says: "nothing listens")
                expect("camera", of: "pond", .ok, in: checks)
                expect("keyframes", of: "pond", .warning, in: checks, says: "every 10.0 s")
                expect("space", of: "pond", .ok, in: checks)
                expect("sandbox", of: "pond", .warning, in: checks)
                try await expectStoreAway(box)
                try await expectWords(box)
                #expect(try await box.stop() == .exited(0))
                let afterwards = try await box.run(["doctor"])
                #expect(afterwards.ending == .exited(4) && afterwards.errors.contains("systemctl start cvrd"))
            }
        }
    }

    private func expectStoreAway(_ box: Box) async throws {
        try FileManager.default.moveItem(atPath: "\(box.root)/store", toPath: "\(box.root)/unplugged")
        _ = FileManager.default.createFile(atPath: "\(box.root)/store", contents: nil)
        try await eventually("the store is away", within: .seconds(30)) {
            let store = try await examine(box).checks.first { $0.name == "store" }
            return store?.verdict == "failed" && store?.nextStep.isEmpty == false ? true : nil
        }
    }

    private func expectWords(_ box: Box) async throws {
        let text = try await box.run(["doctor"]).text.replacing(/\n +/, with: " ")
        #expect(text.contains("! failed clock: nobody synchronises the clock"), "\(text)")
        #expect(text.contains("! warning keyframes pond: a keyframe comes every 10.0 s"), "\(text)")
        #expect(text.contains("I-frame interval (GOP) to 1 to 2 s"), "\(text)")
        #expect(text.contains(/\n\d+ checks: \d+ failed, \d+ warnings\.\n$/), "\(text)")
    }

    @Test("finds nothing that fails on a box that is well, and leaves no file behind")
    func well() async throws {
        try await Machine.shared.place {
            try await withCameras([.init("front", clip: "h264-video")], settings: { $0.retention = "P1D" }) { box, _ in
                try await box.start()
                try await box.untilStored(1, of: "front")
                let (checks, ending) = try await examine(box)
                #expect(ending == .exited(0), "\(checks)")
                for name in ["clock", "descriptors", "stateDisk", "store", "cacheSpace", "storeSpace"] {
                    expect(name, .ok, in: checks)
                }
                for name in ["camera", "keyframes", "space", "build"] { expect(name, of: "front", .ok, in: checks) }
                for folder in ["cache", "state"] {
                    let files = try FileManager.default.contentsOfDirectory(atPath: "\(box.root)/\(folder)")
                    #expect(!files.contains { $0.hasPrefix(".doctor") }, "\(files)")
                }
            }
        }
    }

    /// A library that makes each of cvrd's syncs take a quarter of a second, and the kernel tell it that nobody disciplines
    /// its clock.
    private static func illness(in folder: String) async throws -> String {
        try await Preload.library(
            "illness", in: folder,
            """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <poll.h>
            #include <string.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            static int is_ill(void) { return strcmp(program_invocation_short_name, "cvrd") == 0; }
            int adjtimex(void *query) { return is_ill() ? 5 : (int)syscall(SYS_adjtimex, query); }
            int fdatasync(int file) {
                if (is_ill()) poll(NULL, 0, 250);
                return (int)syscall(SYS_fdatasync, file);
            }
            """)
    }
}
