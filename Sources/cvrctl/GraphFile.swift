import ArgumentParser
import FoundationEssentials
import Glibc
import JSON
import Messages

/// A topology or an instance, as Microsoft's files hold them.
struct GraphFile: ParsableArguments {
    @Argument(help: ArgumentHelp("A file of JSON; - reads standard input.", valueName: "file"), completion: .file())
    var path: String

    /// Its contents; `@apiVersion` is 2.0 where it names none.
    func payload() throws -> JSONValue {
        let bytes =
            try path == "-"
            ? Self.standardInput() : Data(OwnerFile.text(path).mapError(Complaint.init).get().utf8)
        guard let json = try? JSONDecoder().decode(JSONValue.self, from: bytes),  // not JSON
            case .object(var members) = json
        else {
            throw Complaint(
                .usage, code: "usage", message: "\(path == "-" ? "standard input" : path) is not a JSON object",
                nextStep: "Give it one topology or instance, as cvr-lva(7) shows")
        }
        members = members.filter { $0.key.lowercased() != "@apiversion" || $0.value != .null }
        if !members.keys.contains(where: { $0.lowercased() == "@apiversion" }) {
            members["@apiVersion"] = .string("2.0")
        }
        let payload = JSONValue.object(members)
        guard payload.text.utf8.count <= Self.limit - Self.wrapper else {
            throw Complaint(
                .usage, code: "usage", message: "\(path == "-" ? "standard input" : path) is too long to be sent",
                nextStep: "Give it one topology or instance")
        }
        return payload
    }

    /// What a call takes besides its payload, of the megabyte that cvrd reads.
    private static let wrapper = 1 << 10

    /// As large as a file may be.
    private static let limit = 1 << 20

    private static func standardInput() throws -> Data {
        var bytes = Data()
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = read(STDIN_FILENO, &block, block.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return bytes }
            bytes.append(contentsOf: block.prefix(count))
        }
        throw Complaint(
            .usage, code: "usage", message: "standard input is longer than \(limit) bytes",
            nextStep: "Give it one topology or instance")
    }
}
