import YAMLConfiguration

/// Which file system a path is on, by the kernel's table (proc_pid_mountinfo(5)) and the path's letters alone.
///
/// Asking the file system itself may take for ever: a server that is away holds every caller.
package struct MountTable: Hashable, Sendable {
    private struct Mount: Hashable {
        var point: String
        var device: String
    }

    private let mounts: [Mount]

    package init(_ text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6 else { return nil }
            return Mount(point: Self.unescaped(fields[4]), device: String(fields[2]))
        }
    }

    /// Of this process; empty where /proc is not mounted.
    static func current() -> MountTable {
        // Without it nothing is known, and asking again is no use.
        let bytes = try? SmallFile.read("/proc/self/mountinfo", limit: 4 << 20)
        return MountTable(String(decoding: (bytes ?? nil) ?? [], as: UTF8.self))
    }

    /// `major:minor` of what is mounted last on the longest part of `path`.
    package func device(of path: String) -> String? {
        var best: Mount?
        for mount in mounts where Self.holds(mount.point, path) && mount.point.utf8.count >= best?.point.utf8.count ?? 0
        {
            best = mount
        }
        return best?.device
    }

    private static func holds(_ point: String, _ path: String) -> Bool {
        point == "/" || path == point || path.hasPrefix(point + "/")
    }

    /// Blanks, tabs, newlines and backslashes are written as `\040` and so on.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = field.utf8[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), digits.utf8.count == 3, let code = UInt8(digits, radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
