import Glibc
import Messages
import Varlink

/// Why a verb failed, as the operator reads it.
struct Complaint: Error {
    let status: ExitStatus
    /// lowerCamelCase, stable, for scripts.
    let code: String
    let message: String
    let nextStep: String

    init(_ status: ExitStatus, code: String, message: String, nextStep: String) {
        self.status = status
        self.code = code
        self.message = message
        self.nextStep = nextStep
    }

    /// Of a file that an option names.
    init(_ mistake: OwnerFile.Mistake) {
        let nextStep = Terminal.plain(mistake.nextStep)
        self.init(
            .usage, code: "usage", message: Terminal.plain(mistake.message),
            nextStep: nextStep.prefix(1).uppercased() + nextStep.dropFirst())
    }

    /// What cvrd answered.
    init(_ error: VarlinkRemoteError) {
        let name = String(error.name.split(separator: ".").last ?? "failed")
        let code = name.prefix(1).lowercased() + name.dropFirst()
        let status: ExitStatus =
            switch code {
            case "notFound": .notFound
            case "syncUnavailable", "storeUnavailable": .away
            case "refused": .refused
            case "invalidArgument", "invalidParameter": .usage
            default: .failed
            }
        let nextStep = error.nextStep.isEmpty ? "Check that cvrctl and cvrd are of the same release" : error.nextStep
        self.init(status, code: code, message: error.message, nextStep: nextStep)
    }

    /// What kept us from cvrd.
    init(_ error: VarlinkConnectionError) {
        let reason = String(cString: strerror(error.errno))
        switch error.errno {
        case EACCES, EPERM:
            self.init(
                .refused, code: "permissionDenied", message: "permission denied on \(error.path)",
                nextStep: "Join the group cvr, or use sudo")
        case EPROTO, ENAMETOOLONG, ENOTSOCK:
            self.init(
                .failed, code: "protocol", message: "cannot \(error.operation) \(error.path): \(reason)",
                nextStep: error.nextStep)
        case ETIMEDOUT:
            self.init(
                .away, code: "timeout", message: "no answer on \(error.path) in time",
                nextStep: "Try again; building a new catalog may take minutes (cvrctl sync status, journalctl -u cvrd)")
        default:
            self.init(
                .away, code: "cvrdUnavailable",
                message: "cvrd does not answer on \(error.path): \(reason)",
                nextStep: "Start it (systemctl start cvrd), or name its socket with --socket")
        }
    }

    func report(asJSON: Bool) {
        if asJSON {
            let words = (code: code, message: message, nextStep: nextStep)
            Terminal.write(JSONText.of(["error": words]) + "\n")
        } else {
            Terminal.write("cvrctl: \(sentence(message)) \(sentence(nextStep))\n", to: STDERR_FILENO)
        }
    }
}

/// Ends in a full stop, once.
func sentence(_ text: String) -> String {
    text.isEmpty || ".!?".contains(text.last ?? ".") ? text : text + "."
}
