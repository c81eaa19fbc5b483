/// A disk of its own, which may be made to keep every writer waiting.
package struct FreezingDisk: Sendable {
    private let path: String

    package init(at path: String, image: String) async throws {
        self.path = path
        let script = """
            mkdir -p "$1"; truncate -s 64M "$2"; mkfs.ext4 -q -m 0 "$2"; mount -o loop "$2" "$1"; rmdir "$1/lost+found"
            """
        try await Self.shell(script, path, image)
    }

    package func freeze() async throws { try await Self.shell("fsfreeze -f \"$1\"", path) }

    package func thaw() async throws { try await Self.shell("fsfreeze -u \"$1\"", path) }

    /// Thaws first: nobody who waits for it could be ended.
    package func remove() async {
        // Best effort: it may be thawed, or gone.
        try? await thaw()
        try? await Self.shell("umount -l \"$1\"", path)
    }

    private static func shell(_ script: String, _ arguments: String...) async throws {
        let done = try await run("/bin/sh", ["-ec", script, "sh"] + arguments)
        guard done.ending == .exited(0) else { throw Missed("\(script): \(done.errors)") }
    }
}
