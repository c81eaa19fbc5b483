package import JSON

/// Which of LVA's direct-method APIs a payload speaks: both are served, as LVA 2.0 does.
package enum APIVersion: String, Hashable, Sendable, CaseIterable {
    case v1 = "1.0"
    case v2 = "2.0"

    /// That of a payload; throws 400 InvalidVersion when it names none of the two.
    package init(of payload: JSONValue?) throws(GraphError) {
        guard case .string(let text) = Members(payload)["@apiVersion"], let version = APIVersion(rawValue: text) else {
            throw GraphError(
                status: 400, code: "InvalidVersion",
                message: "The API version is not valid. Set @apiVersion to \"1.0\" or \"2.0\".")
        }
        self = version
    }
}
