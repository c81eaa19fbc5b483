package import JSON
package import Recording

/// The types of `io.cvr.Gateway` (see io.cvr.Gateway.varlink, which documents each field).
package enum GatewayInterface {
    package static let interface = "io.cvr.Gateway"
    package typealias TLS = PlaybackInterface.TLS

    package struct Rest: Codable, Hashable, Sendable {
        package var listen: String
        package var tls: TLS?
        package var tokens: [Secret]

        package init(listen: String, tls: TLS? = nil, tokens: [Secret] = []) {
            (self.listen, self.tls, self.tokens) = (listen, tls, tokens)
        }
    }

    package struct Webhook: Codable, Hashable, Sendable {
        package var name: String
        package var url: String
        package var header: String
        package var credential: Secret?
        package var certificateAuthority: String?

        package init(
            name: String, url: String, header: String = "Authorization", credential: Secret? = nil,
            certificateAuthority: String? = nil
        ) {
            (self.name, self.url, self.header) = (name, url, header)
            (self.credential, self.certificateAuthority) = (credential, certificateAuthority)
        }
    }

    package struct Broker: Codable, Hashable, Sendable {
        package var host: String
        package var port: Int64
        package var isTLS: Bool
        package var certificateAuthority: String?
        package var username: String?
        package var password: Secret?
        package var device: String
        package var module: String
        package var operationalOutput: String
        package var diagnosticsOutput: String

        package init(
            host: String, port: Int64, isTLS: Bool = false, device: String, module: String,
            operationalOutput: String = "AmsOperational", diagnosticsOutput: String = "AmsDiagnostics"
        ) {
            (self.host, self.port, self.isTLS) = (host, port, isTLS)
            (self.device, self.module) = (device, module)
            (self.operationalOutput, self.diagnosticsOutput) = (operationalOutput, diagnosticsOutput)
        }
    }

    package struct Configuration: Codable, Hashable, Sendable {
        package var box: String
        package var rest: Rest?
        package var webhooks: [Webhook]
        package var broker: Broker?

        package init(box: String, rest: Rest? = nil, webhooks: [Webhook] = [], broker: Broker? = nil) {
            (self.box, self.rest, self.webhooks, self.broker) = (box, rest, webhooks, broker)
        }

        /// Of everyone that events are delivered to.
        package var consumers: [String] {
            webhooks.map { GatewayInterface.consumer(webhook: $0.name) } + (broker == nil ? [] : ["mqtt"])
        }
    }

    package static func consumer(webhook name: String) -> String { "webhook.\(name)" }

    package struct Request: Codable, Hashable, Sendable {
        package var id: Int64
        package var call: Admin.GraphCall?
        package var message: Admin.InputMessage?

        package init(id: Int64, call: Admin.GraphCall? = nil, message: Admin.InputMessage? = nil) {
            (self.id, self.call, self.message) = (id, call, message)
        }

        /// What answers wait for: nothing, the state's disk, that and a store.
        ///
        /// Those of one kind keep none of another waiting.
        package enum Kind: Hashable, Sendable { case question, message, change }

        package var kind: Kind {
            guard let call else { return .message }
            return call.isQuestion ? .question : .change
        }
    }

    /// Requests of a kind that are answered at a time.
    package static let mostRequests = 64

    package struct Answer: Codable, Hashable, Sendable {
        package var id: Int64
        package var status: Int64
        package var payload: JSONValue?

        package init(id: Int64, _ reply: GraphReply) {
            (self.id, status, payload) = (id, reply.status, reply.payload)
        }
    }

    package struct Delivery: Codable, Hashable, Sendable {
        package var consumer: String
        package var events: [Admin.StoredEvent]

        package init(consumer: String, events: [Admin.StoredEvent]) {
            (self.consumer, self.events) = (consumer, events)
        }
    }

    package struct Delivered: Codable, Hashable, Sendable {
        package var sequence: Int64
        package var refusal: String?

        package init(sequence: Int64, refusal: String? = nil) {
            (self.sequence, self.refusal) = (sequence, refusal)
        }
    }

    package struct Stop: Codable, Hashable, Sendable {
        package var again: Bool?

        package init(again: Bool? = nil) { self.again = again }
    }

    package struct Consumer: Codable, Hashable, Sendable {
        package var name: String
        package var state: String
        package var lastError: Admin.Fault?

        package init(name: String, state: String, lastError: Admin.Fault? = nil) {
            (self.name, self.state, self.lastError) = (name, state, lastError)
        }
    }

    package struct Status: Codable, Hashable, Sendable {
        package var state: String
        package var listen: String?
        package var certificateEnd: String?
        package var consumers: [Consumer]
        package var refusedInputs: Int64?
        package var sandbox: String?
        package var build: String?

        package init(
            state: String, listen: String? = nil, certificateEnd: String? = nil, consumers: [Consumer] = [],
            refusedInputs: Int64? = nil, sandbox: String? = nil, build: String? = nil
        ) {
            (self.state, self.listen, self.certificateEnd) = (state, listen, certificateEnd)
            (self.consumers, self.refusedInputs) = (consumers, refusedInputs)
            (self.sandbox, self.build) = (sandbox, build)
        }
    }
}
