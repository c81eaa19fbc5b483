package import FoundationEssentials
import Glibc

/// An error reply from the service: the call arrived and was answered.
package struct VarlinkRemoteError: Error, CustomStringConvertible {
    /// Fully qualified: `io.cvr.Admin.NotFound`.
    package var name: String
    /// A JSON object.
    package var parameters: Data
    package var message: String
    package var nextStep: String

    package init(name: String, parameters: Data) {
        self.name = name
        self.parameters = parameters
        // An error of another service carries other fields: then its name must do.
        let words = try? JSONDecoder().decode(Words.self, from: parameters)
        let subject = words?.interface ?? words?.method ?? words?.parameter
        message = words?.message ?? subject.map { "\(name): \($0)" } ?? name
        nextStep = words?.nextStep ?? ""
    }

    package var description: String { nextStep.isEmpty ? message : "\(message). \(nextStep)" }

    private struct Words: Decodable {
        var message: String?
        var nextStep: String?
        var interface: String?
        var method: String?
        var parameter: String?
    }
}

/// The connection itself failed: nobody there, not allowed, closed, silent or not speaking Varlink.
package struct VarlinkConnectionError: Error, CustomStringConvertible {
    package var operation: String
    package var path: String
    package var errno: Int32
    package var nextStep: String

    package init(operation: String, path: String, errno: Int32, nextStep: String) {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.nextStep = nextStep
    }

    package var description: String { "cannot \(operation) \(path): \(String(cString: strerror(errno))). \(nextStep)" }
}
