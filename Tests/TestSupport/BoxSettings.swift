import Foundation

/// The configuration of a recorder box under test.
package struct BoxSettings: Sendable {
    package struct Camera: Sendable {
        package var name: String
        package var url: String
        package var username: String
        package var password: String
        /// Further lines of its section in cvr.yaml.
        package var options: [String]

        package init(
            _ name: String, url: String, username: String = "", password: String = "", options: [String] = []
        ) {
            self.name = name
            self.url = url
            self.username = username
            self.password = password
            self.options = options
        }
    }

    package var cameras: [Camera]
    package var segmentLength = "PT2S"
    package var retention: String?
    package var cacheMiB = 256
    package var cacheFull = "dropOldest"
    /// Caches on a tmpfs of this size, mounted for the test.
    package var cacheMountMiB: Int?
    /// The store on a tmpfs of this size.
    package var storeMountMiB: Int?
    /// The whole box on a tmpfs of this size.
    package var rootMountMiB: Int?
    package var minimumFree = "0%"
    package var trustsClock = true
    /// Below the box's root.
    package var storeFolder = "store"
    /// A service in place of the folder, and its credential.
    package var service: (url: String, credential: String)?
    /// The section `playback`, line by line; `listen: 127.0.0.1:0` takes a free port, which status tells.
    package var playback = ["listen: none"]
    /// Further sections of cvr.yaml, line by line.
    package var sections: [String] = []
    /// Further credentials, by name.
    package var secrets: [String: String] = [:]
    /// For cvrd and, through it, for its children.
    package var environment: [String: String] = [:]

    package init(_ cameras: [Camera]) { self.cameras = cameras }

    /// Writes the cameras' passwords and the store's credential, each into a file that nobody else can read.
    func writeCredentials(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var secrets = cameras.filter { !$0.username.isEmpty }.map { ($0.name, $0.password) }
        if let service { secrets.append(("store", service.credential)) }
        secrets += self.secrets.map { ($0.key, $0.value) }
        for (name, secret) in secrets {
            let path = "\(folder)/\(name)"
            guard
                FileManager.default.createFile(
                    atPath: path, contents: Data(secret.utf8), attributes: [.posixPermissions: 0o600])
            else { throw Missed("\(path) cannot be written") }
        }
    }

    /// The text of cvr.yaml.
    package func yaml(root: String) -> String { yaml(root: root, runtime: "\(root)/run") }

    func yaml(root: String, runtime: String) -> String {
        var lines = [
            "site: test",
            "runtime: { path: \(runtime) }",
            "state: { path: \(root)/state }",
            "cache:",
            "  path: \(root)/cache",
            "  minimumFree: \(minimumFree)",
            "  localMediaCacheMaximumSizeMiB: \(cacheMiB)",
            "  cacheFull: \(cacheFull)",
            service.map { "store: { url: \"\($0.url)\", credential: store }" }
                ?? "store: { url: \"file://\(root)/\(storeFolder)\" }",
            "defaults: { segmentLength: \(segmentLength)\(retention.map { ", retention: \($0)" } ?? "") }",
        ]
        lines += ["playback:"] + playback.map { "  \($0)" }
        lines += sections
        if trustsClock { lines.append("clock: { trust: always }") }
        lines.append(cameras.isEmpty ? "cameras: {}" : "cameras:")
        for camera in cameras {
            lines += ["  \(camera.name):", "    url: \"\(camera.url)\""]
            if !camera.username.isEmpty {
                lines += ["    username: \(camera.username)", "    credential: \(camera.name)"]
            }
            lines += camera.options.map { "    \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
