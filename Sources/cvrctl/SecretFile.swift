import Glibc
import Messages

/// Files that an operator names for one command.
enum SecretFile {
    /// Of a certificate bundle.
    private static let limit = 1 << 20

    /// A secret: one line, in a file that nobody but its owner can read (I10).
    static func line(_ path: String) throws -> Secret {
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_mode & 0o077 != 0 {
            throw Complaint(
                .usage, code: "usage", message: "\(Terminal.plain(path)) is accessible to other users",
                nextStep: "Run chmod 600 on it")
        }
        var text = try text(path)
        if text.hasSuffix("\n") { text.removeLast() }
        guard !text.isEmpty, !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw Complaint(
                .usage, code: "usage", message: "\(Terminal.plain(path)) does not hold one line of text",
                nextStep: "Put nothing but the secret there")
        }
        return Secret(text)
    }

    /// All of a text file.
    static func text(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = read(descriptor, &block, block.count)
            guard count >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
            if count == 0 { break }
            bytes += block.prefix(count)
        }
        guard bytes.count <= limit, let text = String(validating: bytes, as: UTF8.self) else {
            throw unreadable(path, "it is no text, or too long")
        }
        return text
    }

    private static func unreadable(_ path: String, _ why: String) -> Complaint {
        Complaint(
            .usage, code: "usage", message: "\(Terminal.plain(path)) cannot be read: \(why)",
            nextStep: "Name a file that you can read")
    }
}
