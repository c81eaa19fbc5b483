internal import CLinux

/// The files by which the C library turns a camera's host name into its address, and those that vouch for certificates.
package enum NameService {
    private static let files = [
        "/etc/nsswitch.conf", "/etc/host.conf", "/etc/hosts", "/etc/gai.conf", "/etc/resolv.conf",
    ]
    /// Nothing in them that others of the box may not read.
    private static let resolvers = ["/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf"]
    private static let authorities = [
        "/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
    ]

    /// Read by a worker.
    ///
    /// File by file, since `/etc` holds more than is a worker's business. Where one is a link to a resolver's folder, all
    /// of that: its owner replaces the file at each change of the network, and a rule holds for a file, not for its name.
    package static func rules() -> [FileRules.Rule] {
        files.flatMap { [FileRules.Rule(folderOrFile($0), .read)] } + authorities.map { FileRules.Rule($0, .read) }
    }

    private static func folderOrFile(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        guard cvr_real_path(path, &buffer, buffer.count) == 0 else { return path }
        let real = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return resolvers.first { real.hasPrefix($0 + "/") } ?? real
    }

    /// Which files they are at the moment: another answer than at the start says that one has been replaced and cannot
    /// be read by who shut itself in before.
    package static func identity() -> [UInt64] {
        files.flatMap { path in
            var status = stat()
            return stat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : [0, 0]
        }
    }
}
