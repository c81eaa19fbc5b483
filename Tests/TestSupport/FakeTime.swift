import Foundation

/// A wall clock of its own for a box: `clock_gettime` lies, the kernel and the monotonic clocks do not.
package struct FakeTime: Sendable {
    /// Debian keeps it in a folder named after the machine's architecture.
    private static let installed = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? [])
        .map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
        .first { FileManager.default.fileExists(atPath: $0) }
    package static var isInstalled: Bool { installed != nil }

    private let path: String
    private let library: String
    private let keeper: ChildProcess
    private let shared: String

    package init(path: String, offset: String) async throws {
        guard let library = Self.installed else { throw Missed("the package faketime is not installed") }
        self.path = path
        self.library = library
        // The library makes its shared memory itself and says so in the environment, which moves the environment:
        // a Swift program then cannot find its arguments. The wrapper makes it beforehand and keeps it while cat lives.
        keeper = try ChildProcess(
            "/usr/bin/faketime", ["-f", "+0", "/bin/sh", "-c", "echo $FAKETIME_SHARED; exec cat"])
        shared = try await keeper.output.first("faketime's shared memory") { $0.isEmpty ? nil : $0 }.found
        try set(offset)
    }

    package var environment: [String: String] {
        [
            "LD_PRELOAD": library, "FAKETIME_SHARED": shared, "FAKETIME_TIMESTAMP_FILE": path,
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
            // The library reads that file again and again, which no sandbox lets it do.
            "CVR_SANDBOX": "landlock:0,noseccomp",
        ]
    }

    /// A folder with our programs in which only the worker has this clock, which nobody vouches for unless told so;
    /// cvr-sync's is the real one, and vouched for whatever the kernel says on this machine.
    ///
    /// The library moves the monotonic times of timerfd(2) too: a program that waits on one must not be started with
    /// a clock that is behind. A worker does not wait so.
    package func programs(in folder: String, isVouchedFor: Bool = false) async throws -> String {
        let vouching = try await vouching(in: folder)
        var worker = environment
        worker["LD_PRELOAD"] = "\(vouching) \(library)"
        worker["CVR_TEST_ADJTIMEX"] = isVouchedFor ? "0" : "5"  // TIME_ERROR
        let scripts = [
            "cvr-ingest": wrapper(of: "cvr-ingest", worker),
            "cvr-sync": wrapper(of: "cvr-sync", ["LD_PRELOAD": vouching, "CVR_TEST_ADJTIMEX": "0"]),
        ]
        return try await ProgramFolder(folder, replacing: scripts).path
    }

    private func wrapper(of program: String, _ environment: [String: String]) -> String {
        let variables = environment.map { "'\($0.key)=\($0.value)'" }.joined(separator: " ")
        return "#!/bin/sh\nexec env \(variables) '\(Repository.binaries)/\(program)' \"$@\""
    }

    /// A library that answers adjtimex(2), which says whether the kernel's clock is disciplined.
    private func vouching(in folder: String) async throws -> String {
        try await Preload.library(
            "vouching", in: folder,
            """
            #include <stdlib.h>
            int adjtimex(void *query) { return atoi(getenv("CVR_TEST_ADJTIMEX")); }
            """)
    }

    /// Steps the clock to so many seconds from the real one.
    package func set(_ offset: String) throws { try Data(offset.utf8).write(to: URL(filePath: path), options: .atomic) }

    package func end() async throws {
        keeper.closeInput()
        try await keeper.end()
    }
}
