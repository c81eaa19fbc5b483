import Glibc
import Messages
import Recording
import Varlink

/// Where a box serves its footage, for whoever is on that box.
enum PlaybackAddress {
    /// Of a box that is as it was installed.
    static let usual = "http://127.0.0.1:8480"

    private static let patience = Duration.seconds(5)

    /// As the cvrd says that has the admin socket `path`; nil for one that does not say.
    static func told(by path: String) async throws -> String? {
        guard let playback = await status(path)?.playback else { return nil }
        guard let listen = playback.listen else {
            throw Complaint(
                .away, code: "playbackUnavailable", message: "this box serves no footage",
                nextStep: "Set playback.listen in cvr.yaml, or give the address of another cvr-playback with --url")
        }
        guard playback.state != "away" else {
            let why = playback.lastError.map { ": \($0.message)" } ?? ""
            throw Complaint(
                .away, code: "playbackUnavailable", message: "cvr-playback is not there at \(listen)\(why)",
                nextStep: playback.lastError?.nextStep ?? "Find out why it does not keep running (journalctl -u cvrd)")
        }
        // A cvrd of another release may say it otherwise.
        return ListenAddress(listen).map { address($0, isEncrypted: playback.tls ?? false) }
    }

    /// Nil without a cvrd, or with one that this user may not ask: cvr-playback has its own ways to refuse.
    private static func status(_ path: String) async -> Admin.Status? {
        do {
            let client = try await VarlinkClient.connect(path: path)
            let admin = AdminSession(client: client, printsJSON: false)
            let status = try await admin.ask("Status", as: Admin.Status.self, timeout: patience)
            await client.close()
            return status
        } catch {
            return nil
        }
    }

    /// A server on every address of the host is asked by the host's name, which is what its certificate has.
    private static func address(_ listen: ListenAddress, isEncrypted: Bool) -> String {
        guard listen.bytes.allSatisfy({ $0 == 0 }) else { return "\(isEncrypted ? "https" : "http")://\(listen)" }
        let own = isEncrypted ? hostName : nil
        let loopback = listen.bytes.count == 4 ? "127.0.0.1" : "[::1]"
        return "\(isEncrypted ? "https" : "http")://\(own ?? loopback):\(listen.port)"
    }

    private static var hostName: String? {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return nil }
        let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}
