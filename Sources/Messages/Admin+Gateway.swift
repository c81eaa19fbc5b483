extension Admin {
    /// cvr-gateway, as `status` has it.
    package struct Gateway: Codable, Hashable, Sendable {
        package var state: String
        package var pid: Int64?
        package var listen: String?
        package var tls: Bool?
        package var consumers: [EventReceiver] = []
        package var refusedInputs: Int64?
        package var lastError: Fault?
        package var sandbox: String?

        package init(state: String) { self.state = state }
    }

    /// A webhook or the MQTT broker: whom events of media graphs are delivered to.
    package struct EventReceiver: Codable, Hashable, Sendable {
        package var name: String
        package var state: String
        package var waiting: Int64
        package var lastError: Fault?

        package init(name: String, state: String, waiting: Int64, lastError: Fault? = nil) {
            (self.name, self.state, self.waiting, self.lastError) = (name, state, waiting, lastError)
        }
    }
}
