import Foundation
import Messages
import Testing

/// What a shell offers after Tab, as the package installs it.
@Suite("cvrctl: completion", .timeLimit(.minutes(1)))
struct CompletionTests {
    /// Completes the last word, as bash would be asked to.
    static let bash = """
        source <(cvrctl --generate-completion-script bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
        COMP_POINT=${#COMP_LINE}
        _cvrctl 2>/dev/null
        printf '%s\\n' "${COMPREPLY[@]}"
        """

    static func complete(_ words: [String], socket: String) async throws -> Set<String> {
        let folder = ScriptedCvrd.binary.split(separator: "/").dropLast().joined(separator: "/")
        let outcome = try await ScriptedCvrd.run(
            ["/bin/bash", "-c", bash, "bash"] + words, input: "",
            environment: ["PATH": "/\(folder):/usr/bin:/bin", "CVR_SOCKET": socket])
        #expect(outcome.complaint.isEmpty, "\(outcome.complaint)")
        return Set(outcome.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
    }

    @Test("offers verbs, and the names of the cameras that there are")
    func bash() async throws {
        let cameras = ["front", "yard"].map { name in
            Admin.CameraConfiguration(
                name: name, url: "rtsp://10.0.0.21/", username: "", transport: "tcp", segmentLength: 30, retention: nil,
                asset: name, enabled: true, origin: "/etc/cvr/cvr.yaml")
        }
        let offered = try await ScriptedCvrd.run(answering: Admin.Cameras(cameras: cameras)) { cvrd in
            let verbs = try await Self.complete(["cvrctl", "camera", ""], socket: cvrd.socket)
            return (verbs, try await Self.complete(["cvrctl", "gaps", ""], socket: cvrd.socket))
        }
        #expect(offered.0.isSuperset(of: ["add", "remove", "start", "stop", "restart"]), "\(offered.0)")
        #expect(offered.1.isSuperset(of: ["front", "yard"]), "\(offered.1)")
    }

    @Test("is written for each shell", arguments: ["bash", "zsh", "fish"])
    func scripts(shell: String) async throws {
        let outcome = try await ScriptedCvrd.cvrctl(["--generate-completion-script", shell])
        #expect(outcome.status == 0 && outcome.complaint.isEmpty)
        #expect(outcome.output.contains("coverage") && outcome.output.contains("cvrctl cameras"))
    }
}
