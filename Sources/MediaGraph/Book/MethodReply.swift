package import JSON

/// What a direct method answers.
package struct MethodReply: Hashable, Sendable {
    /// Of HTTP.
    package let status: Int64
    /// What was asked for, LVA's error, or null.
    package let payload: JSONValue
    /// The payload as text, which is ready where it was listed before.
    package let text: String

    package init(status: Int64, payload: JSONValue = .null) {
        self.init(status: status, payload: payload, text: payload.text)
    }

    /// `text` is the payload's.
    init(status: Int64, payload: JSONValue, text: String) {
        self.status = status
        self.payload = payload
        self.text = text
    }

    package init(_ error: GraphError) { self.init(status: error.status, payload: error.payload) }

    /// The whole reply as JSON, `{"status":…,"payload":…}`.
    package var wholeText: String { #"{"status":\#(status),"payload":\#(text)}"# }
}
