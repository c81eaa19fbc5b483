import Messages
import Recording

/// The topics by which a module of IoT Hub's talks to it, for one device and module.
package struct BrokerTopics: Hashable, Sendable {
    /// What arrives.
    package enum Arrival: Hashable, Sendable {
        /// `request` goes back with the answer.
        case method(String, request: String)
        case input(String, properties: [String: String])
    }

    private static let methods = "$iothub/methods/POST/"
    /// Of what a client makes up.
    private static let longestName = 256
    private static let mostProperties = 64

    private let base: String

    package init(device: String, module: String) { base = "devices/\(device)/modules/\(module)" }

    /// What to subscribe to, and with which quality of service: inputs are kept for us while we are away, methods are for
    /// who is there.
    var subscriptions: [(topic: String, quality: Int32)] { [("\(base)/inputs/#", 1), (Self.methods + "#", 0)] }

    package static func answer(_ status: Int64, to request: String) -> String {
        "$iothub/methods/res/\(status)/?$rid=\(request)"
    }

    /// Of an event, with its properties in it.
    package func event(_ message: EventMessage, output: String) -> String {
        var properties = [
            ("$.on", output), ("$.mid", message.id), ("$.ct", "application/json"), ("$.ce", "utf-8"),
        ]
        if let correlation = message.event.correlationId { properties.append(("$.cid", correlation)) }
        properties += [
            ("topic", message.event.topic), ("subject", message.event.subject), ("eventType", message.type),
            ("eventTime", message.event.eventTime), ("dataVersion", message.event.dataVersion),
        ]
        if let correlation = message.event.correlationId { properties.append(("correlationId", correlation)) }
        let bag = properties.map { "\($0.0)=\(PercentEncoding.encoded($0.1))" }.joined(separator: "&")
        return "\(base)/messages/events/\(bag)"
    }

    /// Nil for a topic of anybody else's making.
    package func arrival(_ topic: String) -> Arrival? {
        if topic.hasPrefix(Self.methods) {
            let rest = topic.dropFirst(Self.methods.count)
            guard let slash = rest.firstIndex(of: "/"), let mark = rest[slash...].firstIndex(of: "?") else {
                return nil
            }
            let pairs = Self.pairs(rest[rest.index(after: mark)...])
            guard let request = pairs.first(where: { $0.name == "$rid" })?.value,
                (1...Self.longestName).contains(request.utf8.count), request.utf8.allSatisfy(Self.isPlain)
            else { return nil }
            return Self.name(rest[..<slash]).map { .method($0, request: request) }
        }
        let inputs = "\(base)/inputs/"
        guard topic.hasPrefix(inputs) else { return nil }
        let parts = topic.dropFirst(inputs.count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let name = Self.name(first) else { return nil }
        let pairs = Self.pairs(parts.dropFirst().first ?? "").prefix(Self.mostProperties)
        return .input(name, properties: Dictionary(pairs.map { ($0.name, $0.value) }) { first, _ in first })
    }

    private static func name(_ text: Substring) -> String? {
        let name = decoded(text)
        return (1...longestName).contains(name.utf8.count) ? name : nil
    }

    /// May stand in a topic that is published to.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 32 && byte < 127 && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "#") && byte != UInt8(ascii: "/")
    }

    private static func pairs(_ bag: Substring) -> [(name: String, value: String)] {
        bag.split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(halves.first ?? ""), decoded(halves.dropFirst().first ?? ""))
        }
    }

    /// What is no valid encoding stays as it is.
    package static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = Self.byte(rest.prefix(2)) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func byte(_ digits: Substring.UTF8View) -> UInt8? {
        guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
