import CLinux
import Foundation
import Isolation
import Synchronization
import TestSupport
import Testing

/// A shell that runs `script`, its output in a file of its own.
private struct Shell {
    let output = NSTemporaryDirectory() + "cvr-isolation-\(UUID().uuidString)"

    func launch(_ script: String, environment: [String] = ["PATH=/usr/bin:/bin"]) -> Launch {
        Launch(
            executable: "/bin/sh", arguments: ["-c", "exec >'\(output)' 2>&1; \(script)"], environment: environment)
    }

    func run(_ script: String, environment: [String] = ["PATH=/usr/bin:/bin"]) async throws -> String {
        defer { unlink(output) }
        let process = try RunningProcess.spawn(launch(script, environment: environment))
        #expect(await process.exit() == .exited(0))
        return try String(contentsOfFile: output, encoding: .utf8)
    }
}

@Suite("Isolation: spawn", .timeLimit(.minutes(1)))
struct SpawnTests {
    @Test("a child has no blocked or ignored signals, though its parent has")
    func signals() async throws {
        signal(SIGPIPE, SIG_IGN)
        let status = try await Shell().run("cat /proc/self/status")
        for field in ["SigBlk", "SigIgn"] {
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(field) })
            let mask = try #require(line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
            // Signals 32 and 33 are glibc's own.
            #expect(mask & ~(0b11 << 31) == 0, "\(line)")
        }
    }

    @Test("a child has three descriptors, and nothing to read")
    func descriptors() async throws {
        let leaked = cvr_openat(AT_FDCWD, "/dev/null", O_RDONLY, 0)
        #expect(fcntl(leaked, F_SETFD, 0) == 0)
        defer { close(leaked) }
        let listing = try await Shell().run("ls -l /proc/$$/fd")
        let numbers = listing.matches(of: /([0-9]+) ->/).compactMap { Int($0.output.1) }.sorted()
        #expect(numbers == [0, 1, 2], "\(listing)")
        #expect(listing.contains("0 -> /dev/null"))
    }

    @Test("a child leads its own process group, so a terminal's Ctrl-C does not reach it")
    func processGroup() async throws {
        let output = try await Shell().run("echo $$; ps -o pgid= -p $$ || cut -d' ' -f5 /proc/$$/stat")
        let numbers = output.split { $0.isWhitespace }.map(String.init)
        #expect(numbers.count == 2 && numbers[0] == numbers[1], "\(output)")
    }

    @Test("what systemd gave to cvrd alone is not inherited")
    func environment() {
        let ours = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "CREDENTIALS_DIRECTORY"]
        for name in ours { setenv(name, "x", 1) }
        setenv("CVR_TEST_KEPT", "a=b", 1)
        defer { for name in ours + ["CVR_TEST_KEPT"] { unsetenv(name) } }
        let inherited = Launch.inheritedEnvironment()
        #expect(inherited.contains("CVR_TEST_KEPT=a=b"))
        #expect(!inherited.contains { entry in ours.contains { entry.hasPrefix($0) } })
    }

    @Test("a child's exit code and its signal are told apart")
    func exitStatus() async throws {
        #expect(
            await (try RunningProcess.spawn(Launch(executable: "/bin/sh", arguments: ["-c", "exit 78"]))).exit()
                == .exited(78))
        #expect(
            await (try RunningProcess.spawn(Launch(executable: "/bin/sh", arguments: ["-c", "kill -SEGV $$"]))).exit()
                == .signalled(SIGSEGV))
    }

    @Test("an exit is seen at once, by every waiter, and signals to the dead do nothing")
    func exitIsSeen() async throws {
        let process = try RunningProcess.spawn(Launch(executable: "/bin/sleep", arguments: ["1000"]))
        #expect(ProcessFacts.startTime(of: process.pid) == process.startTime)
        async let first = process.exit()
        async let second = process.exit()
        let clock = ContinuousClock()
        let start = clock.now
        #expect(process.signal(SIGKILL))
        #expect(await [first, second] == [.signalled(SIGKILL), .signalled(SIGKILL)])
        #expect(clock.now - start < .seconds(5))
        #expect(!process.signal(SIGKILL))
        #expect(await process.exit() == .signalled(SIGKILL))
        #expect(ProcessFacts.startTime(of: process.pid) != process.startTime)
    }

    @Test("SIGTERM ends a child that was spawned from a task")
    func terminate() async throws {
        let process = try RunningProcess.spawn(Launch(executable: "/bin/sleep", arguments: ["1000"]))
        process.signal(SIGTERM)
        #expect(await process.exit() == .signalled(SIGTERM))
    }

    @Test("waiting ends with the task that waits; the process goes on")
    func cancellation() async throws {
        let process = try RunningProcess.spawn(Launch(executable: "/bin/sleep", arguments: ["1000"]))
        let waiting = Task { await process.exit() }
        waiting.cancel()
        #expect(await waiting.value == nil)
        #expect(process.signal(SIGKILL))
        _ = await process.exit()
    }

    @Test("a program that is not there is an error with the next step")
    func missingProgram() {
        #expect(throws: IsolationError.self) {
            try RunningProcess.spawn(Launch(executable: "/nonexistent/cvr-ingest", arguments: []))
        }
    }

    @Test("a process of another parent is adopted, watched and signalled")
    func adoption() async throws {
        let shell = Shell()
        defer { unlink(shell.output) }
        // Told once it is sleep, and not the shell's copy that will be.
        let parent = try RunningProcess.spawn(
            shell.launch("sleep 1000 & until grep -q '^sleep' /proc/$!/cmdline; do :; done; echo $!"))
        _ = await parent.exit()
        let text = try String(contentsOfFile: shell.output, encoding: .utf8)
        let pid = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        let startTime = try #require(ProcessFacts.startTime(of: pid))
        #expect(try RunningProcess.adopt(pid: pid, startTime: startTime + 1) == nil)
        let adopted = try #require(try RunningProcess.adopt(pid: pid, startTime: startTime))
        #expect(ProcessFacts.arguments(of: pid).prefix(2) == ["sleep", "1000"])
        #expect(ProcessFacts.activity(of: pid)?.state == .sleeping)
        adopted.signal(SIGTERM)
        #expect(await adopted.exit() == .unknown)
    }

    @Test("ourselves, init and nobody are never adopted")
    func neverAdopted() throws {
        for pid in [0, 1, -1, getpid(), Int32.max] { #expect(try RunningProcess.adopt(pid: pid) == nil) }
    }

    @Test("a kill for memory is seen for some seconds, so that a later death is not blamed on it")
    func outOfMemory() {
        let kills = Mutex<UInt64?>(3)
        let watch = OutOfMemoryWatch { kills.withLock { $0 } }
        #expect(!watch.hasRisen)
        kills.withLock { $0 = 4 }
        #expect(watch.hasRisen)
        watch.sample()
        #expect(watch.hasRisen, "it may take its time to be gone")
        watch.sample()
        #expect(!watch.hasRisen)
    }

    @Test("what a process does is told apart: it waits, works, or is stopped")
    func activity() async throws {
        let sleeping = try RunningProcess.spawn(Launch(executable: "/bin/sleep", arguments: ["1000"]))
        let working = try RunningProcess.spawn(Launch(executable: "/bin/sh", arguments: ["-c", "while :; do :; done"]))
        defer { for process in [sleeping, working] { process.signal(SIGKILL) } }
        try await eventually("it sleeps", every: .milliseconds(5)) {
            ProcessFacts.activity(of: sleeping.pid)?.state == .sleeping ? true : nil
        }
        try await eventually("it works", every: .milliseconds(5)) {
            let activity = try #require(ProcessFacts.activity(of: working.pid))
            return activity.processorTime >= .milliseconds(50) ? true : nil
        }
        #expect(ProcessFacts.activity(of: working.pid)?.state == .running)
        working.signal(SIGSTOP)
        try await eventually("it is stopped", every: .milliseconds(5)) {
            ProcessFacts.activity(of: working.pid)?.state == .stopped ? true : nil
        }
        #expect(ProcessFacts.parent(of: working.pid) == getpid())
        #expect(ProcessFacts.activity(of: Int32.max) == nil && ProcessFacts.parent(of: Int32.max) == nil)
    }

    @Test("the soft limit of open files is raised to the hard one, within reason")
    func descriptors() {
        OwnDescriptors.raise()
        var now = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &now)
        #expect(OwnDescriptors.limit() == Int(clamping: now.rlim_cur))
        #expect(now.rlim_cur >= min(now.rlim_max, 65_536))
    }

    @Test("the machine's facts are readable")
    func facts() {
        #expect(ProcessFacts.bootID().count == 36)
        #expect(ProcessFacts.outOfMemoryKills() != nil)
        #expect(ProcessFacts.startTime(of: getpid()) != nil)
    }
}
