import Messages
import YAMLConfiguration

/// Where cvr-sync's way into its store is read: each time that it is told, so that a new key needs only a reload; one
/// that systemd passes needs a restart of cvrd, since systemd reads it then.
struct StoreSecrets: Hashable, Sendable {
    private static let authorityLimit = 256 << 10

    var credential: String?
    var certificateAuthority: String?
    var files: CredentialFile

    /// Blocks on the disks of these files.
    func read(into access: SyncInterface.StoreAccess) throws(Refusal) -> SyncInterface.StoreAccess {
        var access = access
        if let credential { access.credential = try files.read(credential) }
        if let certificateAuthority {
            access.certificateAuthority = String(decoding: try authority(certificateAuthority), as: UTF8.self)
        }
        return access
    }

    private func authority(_ path: String) throws(Refusal) -> [UInt8] {
        do throws(FileError) {
            if let bytes = try SmallFile.read(path, limit: Self.authorityLimit) { return bytes }
        } catch {
            throw Refusal(
                code: "credential", "store.certificateAuthority cannot be read: \(error)",
                nextStep: "Correct that and run `cvrctl reload`")
        }
        throw Refusal(
            code: "credential", "there is no \(path), which store.certificateAuthority names",
            nextStep: "Put the authority's certificate (PEM) there and run `cvrctl reload`")
    }
}
