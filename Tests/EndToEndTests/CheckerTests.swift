import Foundation
import TestSupport
import Testing

/// The checks that the other suites lean on notice what they are for.
@Suite("Checks")
struct CheckerTests {
    /// ffmpeg's options that damage a copy of the clip, and what the check has to say.
    static let damages: [(filter: String, lost: Int, isWhole: Bool)] = [
        ("null", 0, true),
        ("noise=drop='eq(n,40)'", 1, false),
        ("noise=drop='between(n,40,49)'", 10, false),
    ]

    @Test("a frame that is missing from a recording is counted", arguments: damages.indices)
    func missing(index: Int) async throws {
        let damage = Self.damages[index]
        let clip = try await SourceClip("h264-video")
        let path = NSTemporaryDirectory() + "cvr-checks-\(UUID()).mp4"
        defer { try? FileManager.default.removeItem(atPath: path) }  // a test's own scrap
        let source = try await run("/usr/bin/python3", [Repository.path("contrib/camera/clips.py"), clip.name])
        let clips = try JSONDecoder().decode([String: String].self, from: source.output)
        let made = try await run(
            "/usr/bin/ffmpeg",
            [
                "-nostdin", "-v", "error", "-y", "-i", try #require(clips[clip.name]), "-c", "copy", "-bsf:v",
                damage.filter, "-use_editlist", "0", path,
            ])
        try #require(made.ending == .exited(0), "\(made.errors)")
        let track = try #require(try await Footage([path], of: clip, areOurs: false).tracks.first)
        #expect(track.lost == damage.lost, "\(track)")
        #expect(track.isWhole == damage.isWhole, "\(track)")
    }

    @Test("a secret in a file or in an environment is found, however it is spelt")
    func secret() async throws {
        let canary = "canary-\(UUID())@home"
        let spellings = Secrets.spellings(of: canary, user: "viewer")
        let folder = NSTemporaryDirectory() + "cvr-canary-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }  // a test's own scrap
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(try Secrets.traces(of: spellings, in: [folder], except: []).isEmpty)
        let basic = Data("viewer:\(canary)".utf8).base64EncodedString()
        let inURL = canary.replacing("@", with: "%40")
        for (name, text) in [
            ("log", "password: \(canary)"), ("url", "viewer:\(inURL)@host"), ("header", "Basic \(basic)"),
        ] {
            try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
        }
        let child = try ChildProcess("/bin/cat", [], environment: ["SECRET": canary])
        // A process that has just begun has no environment to read for a moment.
        let found = try await eventually("the environment is there") {
            let found = try Secrets.traces(of: spellings, in: [folder], except: [])
            return found.contains("/proc/\(child.pid)/environ") ? found : nil
        }
        #expect(Set(found).isSuperset(of: ["log", "url", "header"].map { "\(folder)/\($0)" }))
        await child.stop()
    }
}
