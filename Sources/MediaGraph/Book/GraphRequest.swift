import JSON

/// The payload of a direct method: an object that names its API version.
struct GraphRequest {
    let payload: JSONValue
    private let members: Members

    /// Throws 400 BadRequest for what is no object, 400 InvalidVersion for a version that is not served.
    init(_ payload: JSONValue?) throws(GraphError) {
        guard let payload, case .object = payload else {
            throw .badRequest(
                .propertyValueInvalidType, at: "$", "The payload must be a JSON object: give one with @apiVersion.")
        }
        _ = try APIVersion(of: payload)
        self.payload = payload
        members = Members(payload)
    }

    /// Of whom the method is; throws 400 BadRequest without one.
    var name: String {
        get throws(GraphError) {
            guard case .string(let name)? = members["name"], !name.isEmpty else {
                throw .badRequest(.propertyRequired, at: "$.Name", "The name is missing: give it as a string.")
            }
            return name
        }
    }

    /// Throws 400 BadRequest for a list that is asked for in another way than we give it: whole, by name.
    func checkList() throws(GraphError) {
        switch members["@query"] {
        case nil, .string(""): break
        case .string(let query) where Self.isByName(query): break
        default:
            throw .badRequest(
                .propertyValueNotSupported, at: "$.@query",
                "The query is not supported: leave it out, or use $orderby=name asc.")
        }
        switch members["@continuationToken"] {
        case nil, .string(""): break
        default:
            throw .badRequest(
                .propertyValueNotSupported, at: "$.@continuationToken", "No list gave this token: leave it out.")
        }
    }

    private static func isByName(_ query: String) -> Bool {
        ["$orderby=name asc", "$orderby=name"].contains(
            query.lowercased().split(separator: " ").joined(separator: " "))
    }
}

/// Errors of calls, as opposed to those of topologies and instances.
extension GraphError {
    static func badRequest(_ code: DetailCode, at target: String, _ message: String) -> GraphError {
        GraphError(
            status: 400, code: "BadRequest", message: "The request is not valid.",
            details: [Detail(code, at: target, message)])
    }

    static func notFound(_ message: String) -> GraphError {
        GraphError(status: 404, code: "NotFound", message: message)
    }

    static func conflict(_ details: [Detail]) -> GraphError {
        GraphError(
            status: 409, code: "Conflict",
            message: "The request is in conflict with what there is; its details say what to do.", details: details)
    }

    static func conflict(_ code: DetailCode, at target: String? = nil, _ message: String) -> GraphError {
        conflict([Detail(code, at: target, message)])
    }

    static func unknownMethod(_ name: String) -> GraphError {
        let names = GraphMethod.allCases.map(\.rawValue).joined(separator: ", ")
        return GraphError(
            status: 501, code: "NotImplemented",
            message: "There is no method \(name.prefix(64)): use one of \(names).")
    }
}
