import Foundation
import TestSupport

extension PastBox {
    /// Runs a cvr-playback that has the store and nothing else, until `body` returns; with the address of its page.
    func withReplica(_ more: [String] = [], _ body: (String) async throws -> Void) async throws {
        let credential = FileManager.default.temporaryDirectory.appending(path: "replica-\(UUID())").path
        guard
            FileManager.default.createFile(
                atPath: credential, contents: Data(server.credential.utf8), attributes: [.posixPermissions: 0o600])
        else { throw Missed("\(credential) cannot be written") }
        let site = store.replacing("?", with: "/test?")
        try await Replica.serving(["--store", site, "--credential", credential] + more, body)
        try FileManager.default.removeItem(atPath: credential)
    }
}

/// A cvr-playback that runs by itself.
enum Replica {
    static func serving(_ arguments: [String], _ body: (String) async throws -> Void) async throws {
        let process = try ChildProcess(
            "\(Repository.binaries)/cvr-playback", arguments + ["--listen", "127.0.0.1:0"])
        do {
            let (_, address) = try await process.errors.first("it serves") { line in
                line.contains("serving ") ? line.split(separator: " ").last.map(String.init) : nil
            }
            try await body("http://\(address)/")
            await process.stop()
        } catch {
            await process.stop()
            throw error
        }
    }
}
