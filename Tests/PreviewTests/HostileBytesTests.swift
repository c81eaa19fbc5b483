import Foundation
import TestSupport
import Testing

@Suite("Preview: hostile bytes", .timeLimit(.minutes(3)))
struct HostileBytesTests {
    /// A result, damaged, of no use, or more than there is memory for; never a signal, never a forbidden system call.
    static let endings: Set<Ending> = Set([0, 65, 69, 70].map(Ending.exited))

    @Test("cut anywhere, media end in an exit code", arguments: ["jpeg 320", "aac"])
    func cut(job: String) async throws {
        let clip = try await FragmentedClip("h264-ulaw", seconds: 2)
        var random = SeededRandom(seed: 1)
        for _ in 0..<16 {
            let done = try await Trial(
                job, media: clip.bytes.prefix(Int.random(in: 0..<clip.bytes.count, using: &random)))
            #expect(Self.endings.contains(done.ending), "\(done.ending) \(done.complaint)")
        }
    }

    @Test(
        "with bytes changed, media end in an exit code",
        arguments: [("jpeg 320", "h264-ulaw"), ("jpeg 64", "h265"), ("aac", "h264-ulaw")])
    func changed(job: String, name: String) async throws {
        let clip = try await FragmentedClip(name, seconds: 2)
        let start = clip.initPart.count
        for seed in 0..<24 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            var bytes = clip.bytes
            // In the init part and the fragment's head, where sizes and counts are, or anywhere.
            let area = seed % 2 == 0 ? start + 1000 : bytes.count
            for _ in 0..<(1 + seed % 7) {
                bytes[Int.random(in: 0..<area, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let done = try await Trial(job, media: bytes)
            #expect(Self.endings.contains(done.ending), "seed \(seed): \(done.ending) \(done.complaint)")
        }
    }

    @Test("a job without end, without a line or without sense is refused")
    func nonsense() async throws {
        let endless = try await Trial(shell: "{ echo jpeg 320; exec cat /dev/zero; } | \"$0\"; exit $?")
        #expect(endless.ending == .exited(71), "\(endless.complaint)")
        #expect(try await Trial(shell: "exec \"$0\" </dev/null").ending == .exited(64))
        for job in ["jpeg 15", "jpeg 4000", "jpeg", "jpeg 320 ", "png 320", "aac 1", ""] {
            #expect(try await Trial(job, media: Data()).ending == .exited(64), "\(job)")
        }
        #expect(try await Trial("jpeg 320", media: Data(repeating: 0, count: 100_000)).ending == .exited(65))
        for arguments in ["jpeg", "1 2", "-1"] {
            #expect(try await Trial(shell: "exec \"$0\" \(arguments) </dev/null").ending == .exited(64))
        }
    }

    @Test("a job that never comes is waited for as long as it was said, and not by anybody's signal")
    func late() async throws {
        let folder = try TemporaryFolder()
        let start = ContinuousClock.now
        // Open for both, it has no end.
        let done = try await Trial(
            shell: "mkfifo '\(folder.path)/job'; exec \"$0\" 1 <>'\(folder.path)/job'")
        #expect(done.ending == .killed(signal: SIGALRM), "\(done.complaint)")
        #expect((.seconds(1)..<(.seconds(10))).contains(ContinuousClock.now - start))
    }

    @Test("a kernel that will not filter its calls gets no bytes to see")
    func exposed() async throws {
        let done = try await Trial(shell: "CVR_SANDBOX=noseccomp exec \"$0\" </dev/null")
        #expect(done.ending == .exited(77) && done.complaint.contains("no seccomp"), "\(done.complaint)")
    }
}
