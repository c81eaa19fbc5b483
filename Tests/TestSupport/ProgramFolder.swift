import Foundation

/// A folder of our programs, for a box that runs others in the place of some.
package struct ProgramFolder: Sendable {
    package let path: String

    /// Puts the programs under test there, and scripts in the place of the named ones.
    ///
    /// None of them is written by this process: a child that another test starts meanwhile would hold the file open, and
    /// what is open for writing cannot be executed.
    package init(_ path: String, replacing scripts: [String: String]) async throws {
        self.path = path
        let copied = ["cvrd", "cvr-ingest", "cvr-sync", "cvr-playback", "cvr-gateway", "cvr-preview"]
            .filter { scripts[$0] == nil }
        let install = """
            mkdir -p "$1"; cd "$1"; shift
            while [ "$1" != -- ]; do cp "$1" .; shift; done; shift
            while [ $# -gt 0 ]; do printf '%s\\n' "$2" >"$1"; chmod 755 "$1"; shift 2; done
            """
        let arguments =
            [path] + copied.map { "\(Repository.binaries)/\($0)" } + ["--"] + scripts.flatMap { [$0.key, $0.value] }
        let done = try await run("/bin/sh", ["-ec", install, "sh"] + arguments)
        guard done.ending == .exited(0) else { throw Missed("\(path): \(done.errors)") }
    }
}

/// A library for `LD_PRELOAD`: functions in C that take the place of the C library's.
package enum Preload {
    /// Compiles `source` into a library below `folder`, which is made if need be; its path.
    package static func library(_ name: String, in folder: String, _ source: String) async throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let library = "\(folder)/\(name).so"
        let done = try await run(
            "/usr/bin/env", ["clang", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input: source)
        guard done.ending == .exited(0) else { throw Missed("clang: \(done.errors)") }
        return library
    }
}
