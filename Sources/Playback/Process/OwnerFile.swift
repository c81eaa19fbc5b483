import CLinux
import Glibc
import Messages

/// The files that a replica is given: read once, whole, before it shuts itself in.
enum OwnerFile {
    private static let limit = 256 << 10

    /// Nobody but its owner may read it (I10).
    static func guardedText(_ path: String) throws(PlaybackError) -> String {
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_mode & 0o077 != 0 {
            throw PlaybackError(.file, "\(path) is accessible to other users", nextStep: "run chmod 600 \(path)")
        }
        return try text(path)
    }

    /// One line, without its newline.
    static func line(_ path: String) throws(PlaybackError) -> Secret {
        var text = try guardedText(path)
        if text.hasSuffix("\n") { text.removeLast() }
        guard !text.isEmpty, !text.contains("\n") else {
            throw PlaybackError(
                .configuration, "\(path) does not hold one line of text", nextStep: "put nothing but the secret there")
        }
        return Secret(text)
    }

    static func text(_ path: String) throws(PlaybackError) -> String {
        let descriptor = cvr_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = 0
        while count < limit {
            let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, limit - count, off_t(count)) }
            guard got >= 0 else { throw unreadable(path) }
            if got == 0 { break }
            count += got
        }
        guard count < limit, let text = String(validating: bytes.prefix(count), as: UTF8.self) else {
            throw PlaybackError(
                .configuration, "\(path) is not a text of at most \(limit - 1) bytes", nextStep: "name the right file")
        }
        return text
    }

    private static func unreadable(_ path: String) -> PlaybackError {
        PlaybackError(
            .file, "\(path) cannot be read: \(String(cString: strerror(errno)))",
            nextStep: (errno == ENOENT ? "put it there, " : "make it ") + "readable for the user that runs this")
    }
}
