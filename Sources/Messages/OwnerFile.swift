import Glibc
package import Recording

/// A text file that an operator names for one program, read whole: a certificate, or a secret.
///
/// What is looked at is what is read: the file as it was opened, whatever its path names a moment later.
package enum OwnerFile {
    /// Why it is not taken, in words that end with the next step.
    package struct Mistake: Error, Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            /// It is not there, not readable, or open to others.
            case file
            /// It holds something else.
            case contents
        }

        package let kind: Kind
        package let message: String
        package let nextStep: String
    }

    /// Of a certificate with its chain, in bytes.
    private static let limit = 1 << 20

    /// All of it.
    package static func text(_ path: String) -> Result<String, Mistake> {
        Result { () throws(Mistake) in try read(path, isSecret: false) }
    }

    /// The same, of one that nobody but its owner may read (I10).
    package static func guardedText(_ path: String) -> Result<String, Mistake> {
        Result { () throws(Mistake) in try read(path, isSecret: true) }
    }

    /// The only line of one that nobody but its owner may read, without its newline.
    package static func line(_ path: String) -> Result<Secret, Mistake> {
        Result { () throws(Mistake) in
            let text = try read(path, isSecret: true)
            let line = text.unicodeScalars.last == "\n" ? text.unicodeScalars.dropLast() : text.unicodeScalars[...]
            guard !line.isEmpty, !line.contains(where: { $0.properties.generalCategory == .control }) else {
                throw Mistake(
                    kind: .contents, message: "\(path) does not hold one line of text",
                    nextStep: "put nothing but the secret there")
            }
            return Secret(String(line))
        }
    }

    private static func read(_ path: String, isSecret: Bool) throws(Mistake) -> String {
        // One that has no other end, such as a named pipe, must not keep us.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw unreadable(path, errno) }
        if isSecret, facts.st_mode & 0o077 != 0 {
            throw Mistake(
                kind: .file, message: "\(path) is accessible to other users", nextStep: "run chmod 600 \(path)")
        }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path, errno) }
            if count == 0 { break }
            bytes += block.prefix(count)
        }
        guard bytes.count <= limit, let text = String(validating: bytes, as: UTF8.self) else {
            throw Mistake(
                kind: .contents, message: "\(path) is not a text of at most \(limit) bytes",
                nextStep: "name the right file")
        }
        return text
    }

    private static func unreadable(_ path: String, _ errno: Int32) -> Mistake {
        Mistake(
            kind: .file, message: "\(path) cannot be read: \(String(cString: strerror(errno)))",
            nextStep: (errno == ENOENT ? "put it there, " : "make it ") + "readable for the user that runs this")
    }
}
