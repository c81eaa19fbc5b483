import ServiceLifecycle
package import Varlink

/// The socket at which cvrd tells a server what to do, bound before the process shut itself in.
package struct ControlDoor: Service {
    private let server: VarlinkServer
    private let socket: Int32

    /// `interface` has a name and a description; what `answer` throws as `ServingError` is an answer too, its
    /// `InvalidArgument` or `Failed`.
    package init(
        _ socket: Int32, at path: String, of program: String, build: String,
        interface: (name: String, description: String), limits: VarlinkLimits = VarlinkLimits(),
        answer: @escaping VarlinkServer.Handler
    ) {
        self.socket = socket
        let name = interface.name
        server = VarlinkServer(
            socketPath: path,
            info: VarlinkServiceInfo(vendor: "CVR", product: program, version: build, url: "https://varlink.org"),
            interfaces: [name: interface.description], limits: limits
        ) { call, replies in
            do { try await answer(call, replies) } catch let error as ServingError {
                throw VarlinkFailure(
                    name: "\(name).\(error.code == .configuration ? "InvalidArgument" : "Failed")",
                    parameters: ["message": error.message, "nextStep": error.nextStep])
            }
        }
    }

    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await server.run(on: socket) }
        } catch is CancellationError {
            // Its way to end.
        }
    }
}
