import Foundation

/// Looks for a canary password wherever it must not be (I10).
package enum Secrets {
    /// How a password may show: as it is, percent-encoded as in a URL, in base64 as in an HTTP header.
    package static func spellings(of password: String, user: String) -> Set<String> {
        let encoded = password.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? password
        let inURL = password.addingPercentEncoding(withAllowedCharacters: .urlPasswordAllowed) ?? password
        let basic = Data("\(user):\(password)".utf8).base64EncodedString()
        return [password, encoded, encoded.lowercased(), inURL, basic, Data(password.utf8).base64EncodedString()]
    }

    /// Places that hold one of the words: arguments and environments of all processes, and files below `folders`.
    ///
    /// `except` names the files that may. This process is not looked at: it made the secret up.
    package static func traces(of words: Set<String>, in folders: [String], except: Set<String>) throws -> [String] {
        let needles = words.map { Data($0.utf8) }
        let holds = { (bytes: Data) in needles.contains { bytes.range(of: $0) != nil } }
        var found: [String] = []
        for pid in ProcessTable.pids() where pid != getpid() {
            for file in ["cmdline", "environ"] {
                let path = "/proc/\(pid)/\(file)"
                // A process that went meanwhile has no such file.
                guard let bytes = try? Data(contentsOf: URL(filePath: path)) else { continue }
                if holds(bytes) { found.append(path) }
            }
        }
        for folder in folders {
            let enumerator = FileManager.default.enumerator(atPath: folder)
            while let name = enumerator?.nextObject() as? String {
                let path = "\(folder)/\(name)"
                guard !except.contains(path), let handle = FileHandle(forReadingAtPath: path) else { continue }
                defer { try? handle.close() }  // read only: nothing can be lost
                guard let bytes = try? handle.readToEnd() else { continue }  // a directory or a socket
                if holds(bytes) { found.append(path) }
            }
        }
        return found
    }
}

extension Box {
    /// Traces of a password in the whole box, and in all that cvrctl says of it and of these cameras.
    ///
    /// What cvrctl says is written down first, so that it is searched with everything else.
    package nonisolated func traces(
        of password: String, user: String, cameras: [String], except: Set<String>
    ) async throws -> [String] {
        var verbs = [["status"], ["cameras"], ["events"], ["sync", "status"], ["sync", "now"], ["reload"]]
        verbs += cameras.flatMap { [["segments", $0], ["gaps", $0], ["coverage", $0]] }
        var said = Data()
        for verb in verbs {
            for format in [[], ["--json"]] {
                let done = try await run(format + verb)
                said += done.output + Data(done.errors.utf8)
            }
        }
        try said.write(to: URL(filePath: "\(root)/log/said"))
        return try Secrets.traces(
            of: Secrets.spellings(of: password, user: user), in: [root], except: except)
    }
}
