/// `org.varlink.service`: what every Varlink service answers about itself.
struct ServiceInterface: Sendable {
    static let name = "org.varlink.service"

    let info: VarlinkServiceInfo
    /// By name, this one included.
    let descriptions: [String: String]
    private let methods: Set<String>

    init(info: VarlinkServiceInfo, interfaces: [String: String]) {
        self.info = info
        descriptions = interfaces.merging([Self.name: Self.description]) { given, _ in given }
        methods = Set(
            descriptions.flatMap { interface, text in
                text.split(separator: "\n").filter { $0.hasPrefix("method ") }
                    .map { "\(interface).\($0.dropFirst(7).prefix { $0.isLetter || $0.isNumber })" }
            })
    }

    /// Throws when no interface declares the method.
    func check(_ method: String) throws(VarlinkFailure) {
        let interface = method.split(separator: ".", omittingEmptySubsequences: false).dropLast()
            .joined(separator: ".")
        guard descriptions[interface] != nil else { throw .interfaceNotFound(interface) }
        guard methods.contains(method) else { throw .methodNotFound(method) }
    }

    /// False when the call is none of this interface's.
    func answers(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws -> Bool {
        switch call.method {
        case Self.name + ".GetInfo":
            let names = [Self.name] + descriptions.keys.filter { $0 != Self.name }.sorted()
            try await replies.send(
                Info(
                    vendor: info.vendor, product: info.product, version: info.version, url: info.url,
                    interfaces: names))
        case Self.name + ".GetInterfaceDescription":
            let interface = try call.decode(Question.self).interface
            guard let text = descriptions[interface] else { throw VarlinkFailure.interfaceNotFound(interface) }
            try await replies.send(["description": text])
        default: return false
        }
        return true
    }

    private struct Info: Encodable {
        var vendor: String
        var product: String
        var version: String
        var url: String
        var interfaces: [String]
    }

    private struct Question: Decodable {
        var interface: String
    }

    /// From https://varlink.org/Service, without its comments.
    private static let description = """
        # The Varlink Service Interface is provided by every varlink service.
        interface org.varlink.service

        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        method GetInterfaceDescription(interface: string) -> (description: string)

        error InterfaceNotFound (interface: string)
        error MethodNotFound (method: string)
        error MethodNotImplemented (method: string)
        error InvalidParameter (parameter: string)

        """
}
