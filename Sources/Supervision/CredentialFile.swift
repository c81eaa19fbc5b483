import CLinux
import Glibc
package import Recording
import YAMLConfiguration

/// Reads a credential: the only place where a camera's password or a store's key enters cvrd from a file.
///
/// Read when it is needed, kept in `Secret`s only (I10).
package struct CredentialFile: Hashable, Sendable {
    /// systemd's `$CREDENTIALS_DIRECTORY`: looked at first.
    package let systemDirectory: String?
    package let stateDirectory: String

    package static let maximumLength = 4096
    /// Of a private key with its comments.
    private static let documentLength = 64 << 10
    /// Of a certificate with its chain, or of authorities.
    private static let openLength = 256 << 10

    package init(systemDirectory: String?, stateDirectory: String) {
        self.systemDirectory = systemDirectory
        self.stateDirectory = stateDirectory
    }

    /// The secret that `reference` names: a file in one of the directories, or an absolute path.
    ///
    /// Files of our own must be closed to others; systemd guards its directory itself. One newline at the end is not
    /// part of the secret.
    package func read(_ reference: String) throws(Refusal) -> Secret {
        let (path, isGuarded) = find(reference)
        return try secret(at: path, isGuarded: isGuarded, reference)
    }

    /// As `read`, of a secret that is a text of several lines: a private key.
    package func readDocument(_ reference: String) throws(Refusal) -> Secret {
        let (path, isGuarded) = find(reference)
        let bytes = try bytes(at: path, isGuarded: isGuarded, limit: Self.documentLength, reference)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Refusal(
                code: "credential", "\(path) does not hold text",
                nextStep: "Put the PEM file there and run \(Self.command(isGuarded))")
        }
        return Secret(text)
    }

    /// The text of a file that is no secret, such as a certificate, which `key` of the configuration names.
    package static func readOpen(_ path: String, _ key: String) throws(Refusal) -> String {
        let nextStep = "Put the PEM file there, readable for cvrd, and run `cvrctl reload`"
        do throws(FileError) {
            if let bytes = try SmallFile.read(path, limit: openLength) { return String(decoding: bytes, as: UTF8.self) }
        } catch {
            throw Refusal(code: "credential", "\(key) cannot be read: \(error)", nextStep: nextStep)
        }
        throw Refusal(code: "credential", "there is no \(path), which \(key) names", nextStep: nextStep)
    }

    /// Whether there is certainly no file of that name: what a disk does not tell is not known.
    func lacks(_ reference: String) -> Bool { access(find(reference).path, F_OK) != 0 && errno == ENOENT }

    private func find(_ reference: String) -> (path: String, isGuarded: Bool) {
        if reference.hasPrefix("/") { return (reference, false) }
        if let systemDirectory {
            // Those of a directory have the name of its LoadCredential= before theirs (systemd.exec(5)).
            for path in ["\(systemDirectory)/\(reference)", "\(systemDirectory)/cvr_\(reference)"]
            where access(path, F_OK) == 0 { return (path, true) }
        }
        return ("\(stateDirectory)/\(reference)", false)
    }

    /// What makes a changed file count: systemd passes copies, of when cvrd started.
    private static func command(_ isGuarded: Bool) -> String {
        isGuarded ? "`systemctl restart cvrd`" : "`cvrctl reload`"
    }

    private func secret(at path: String, isGuarded: Bool, _ reference: String) throws(Refusal) -> Secret {
        var bytes = try bytes(at: path, isGuarded: isGuarded, limit: Self.maximumLength, reference)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard !bytes.isEmpty, !bytes.contains(0), !bytes.contains(UInt8(ascii: "\n")),
            let text = String(validating: bytes, as: UTF8.self)
        else {
            throw Refusal(
                code: "credential", "\(path) does not hold one line of text",
                nextStep: "Put nothing but the secret into \(isGuarded ? "the file that systemd passes" : "it") "
                    + "and run \(Self.command(isGuarded))")
        }
        return Secret(text)
    }

    private func bytes(
        at path: String, isGuarded: Bool, limit: Int, _ reference: String
    ) throws(Refusal) -> [UInt8] {
        var facts = stat()
        if !isGuarded, stat(path, &facts) == 0 {
            guard facts.st_mode & 0o077 == 0, [0, geteuid()].contains(facts.st_uid) else {
                throw Refusal(
                    code: "credential", "\(path) is accessible to other users",
                    nextStep: "Run `chmod 600 \(path)` as its owner, cvr")
            }
        }
        let bytes: [UInt8]?
        do throws(FileError) {
            bytes = try SmallFile.read(path, limit: limit)
        } catch {
            throw Refusal(
                code: "credential", "the credential cannot be read: \(error)",
                nextStep: "Correct that and run \(Self.command(isGuarded))")
        }
        guard let bytes else {
            throw Refusal(
                code: "credential", "there is no credential \(reference)",
                nextStep: "Put the secret into \(path) (owner cvr, mode 0600) and run `cvrctl reload`")
        }
        return bytes
    }
}
