/// The name of a file that a file sink writes, without the `.mp4` behind it.
package enum SinkFileName {
    /// In bytes: with a number and `.mp4` behind it every file system can have it.
    package static let longest = 200

    /// Whether a file is called so as it stands: one part of a path, on one line, and visible.
    package static func isUsable(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix(".") && isUsable(part: text)
    }

    /// Whether what stands in a name does not prevent that.
    package static func isUsable(part text: String) -> Bool {
        text.utf8.count <= longest && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }
    }
}
