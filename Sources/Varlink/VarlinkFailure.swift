/// An error reply: a handler throws it, the client receives it.
package struct VarlinkFailure: Error {
    /// Fully qualified: `io.cvr.Admin.NotFound`.
    package var name: String
    package var parameters: any Encodable & Sendable

    package init(name: String, parameters: any Encodable & Sendable) {
        self.name = name
        self.parameters = parameters
    }

    package static func interfaceNotFound(_ interface: String) -> VarlinkFailure {
        VarlinkFailure(name: "org.varlink.service.InterfaceNotFound", parameters: ["interface": interface])
    }

    package static func methodNotFound(_ method: String) -> VarlinkFailure {
        VarlinkFailure(name: "org.varlink.service.MethodNotFound", parameters: ["method": method])
    }

    package static func methodNotImplemented(_ method: String) -> VarlinkFailure {
        VarlinkFailure(name: "org.varlink.service.MethodNotImplemented", parameters: ["method": method])
    }

    package static func invalidParameter(_ parameter: String) -> VarlinkFailure {
        VarlinkFailure(name: "org.varlink.service.InvalidParameter", parameters: ["parameter": parameter])
    }
}
