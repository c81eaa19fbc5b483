import Foundation

/// A certificate of a server on this machine, its own authority, made for one test.
package struct Certificate: Sendable {
    package let folder: String
    /// PEM files.
    package let path: String
    package let key: String
    /// What `path` holds: whoever believes this believes the server.
    package let authority: String

    /// Puts both files into a folder; one that has expired did so a week ago.
    package init(in folder: String, isExpired: Bool = false) async throws {
        self.folder = folder
        path = folder + "/server.pem"
        key = folder + "/server.key"
        let made = isExpired ? ["faketime", "-f", "-10d", "/usr/bin/openssl"] : ["/usr/bin/openssl"]
        let done = try await run(
            "/usr/bin/env",
            made + [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", path,
            ])
        guard done.ending == .exited(0) else { throw Missed("openssl: \(done.errors)") }
        authority = try String(contentsOfFile: path, encoding: .utf8)
    }
}
