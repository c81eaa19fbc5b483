package import JSON

/// What is wrong with a call, as LVA says it: a status of HTTP, a code, and each mistake with its place (OData).
package struct GraphError: Error, Hashable, Sendable {
    /// One mistake; no message quotes a value, which may be a secret (I10), but for the scheme of a URL that is known.
    package struct Detail: Hashable, Sendable {
        package var code: String
        /// Where it is: a JSON path in PascalCase, `$.Properties.Sinks[0].AssetNamePattern`; nil for the whole.
        package var target: String?
        package var message: String

        package init(code: String, target: String? = nil, message: String) {
            self.code = code
            self.target = target
            self.message = message
        }

        package init(_ code: DetailCode, at target: String?, _ message: String) {
            self.init(code: code.rawValue, target: target, message: message)
        }
    }

    package var status: Int64
    package var code: String
    package var message: String
    package var details: [Detail]

    package init(status: Int64, code: String, message: String, details: [Detail] = []) {
        self.status = status
        self.code = code
        self.message = message
        self.details = details
    }

    /// 400 for a topology or an instance with these mistakes, of which the first `GraphLimits.details` are told.
    package static func invalidResource(_ details: [Detail]) -> GraphError {
        GraphError(
            status: 400, code: "InvalidResource", message: "The resource format is invalid.",
            details: Array(details.prefix(GraphLimits.details)))
    }

    /// `{"error": {"code", "message", "details": [{"code", "target", "message"}]}}`; without `details` where there are
    /// none.
    package var payload: JSONValue {
        var error: [String: JSONValue] = ["code": .string(code), "message": .string(message)]
        if !details.isEmpty { error["details"] = .array(details.map(\.json)) }
        return .object(["error": .object(error)])
    }
}

extension GraphError.Detail {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = ["code": .string(code), "message": .string(message)]
        if let target { members["target"] = .string(target) }
        return .object(members)
    }
}

/// Every code that a detail may have.
package enum DetailCode: String, CaseIterable, Sendable {
    // Documented by LVA.
    case graphValidationError = "GraphValidationError"
    case moduleValidationError = "ModuleValidationError"
    case graphTopologyInUse = "GraphTopologyInUse"
    case operationNotAllowedInState = "OperationNotAllowedInState"
    case resourceValidationError = "ResourceValidationError"
    case rtspEndpointUrlInvalidScheme = "RtspEndpointUrlInvalidScheme"
    case propertyValueInvalidPattern = "PropertyValueInvalidPattern"

    // Of the same form; LVA published no whole list.
    case propertyRequired = "PropertyRequired"
    case propertyValueInvalidType = "PropertyValueInvalidType"
    case propertyValueInvalidFormat = "PropertyValueInvalidFormat"
    case propertyValueNotSupported = "PropertyValueNotSupported"
    case propertyValueOutOfRange = "PropertyValueOutOfRange"
    case endpointUrlInvalid = "EndpointUrlInvalid"
    case nodeTypeNotSupported = "NodeTypeNotSupported"
    case nodeNameNotUnique = "NodeNameNotUnique"
    case parameterNameNotUnique = "ParameterNameNotUnique"
    case parameterNameReserved = "ParameterNameReserved"
    case parameterNotDeclared = "ParameterNotDeclared"
    case parameterReferenceInvalid = "ParameterReferenceInvalid"
    case parameterTypeNotAllowed = "ParameterTypeNotAllowed"
    case parameterValueRequired = "ParameterValueRequired"
    case parameterValueInvalid = "ParameterValueInvalid"
    case systemVariableNotAllowed = "SystemVariableNotAllowed"
    case systemVariableRequired = "SystemVariableRequired"
}
