import FoundationEssentials
import NIOCore

extension VarlinkCall {
    /// Nil when the bytes are no call.
    init?(_ message: [UInt8], from peer: VarlinkPeer) {
        guard let object = JSONObject(message), let method = object.string("method"),
            let more = object.flag("more"), let oneway = object.flag("oneway"), !(more && oneway)
        else { return nil }
        let parameters = object["parameters"] ?? Data("{}".utf8)
        guard parameters.first == UInt8(ascii: "{") else { return nil }
        self.init(method: method, parameters: parameters, wantsMore: more, isOneway: oneway, peer: peer)
    }
}

/// One reply as the client received it.
struct VarlinkReply: Sendable {
    var outcome: Result<Data, VarlinkRemoteError>
    var continues: Bool

    /// Nil when the bytes are no reply.
    init?(_ message: [UInt8]) {
        guard let object = JSONObject(message), let continues = object.flag("continues") else { return nil }
        let parameters = object["parameters"] ?? Data("{}".utf8)
        if object["error"] == nil {
            outcome = .success(parameters)
            self.continues = continues
        } else {
            guard let name = object.string("error") else { return nil }
            outcome = .failure(VarlinkRemoteError(name: name, parameters: parameters))
            self.continues = false
        }
    }
}

/// Writes one message: an envelope around parameters that are already JSON, and the NUL that ends it.
struct VarlinkEnvelope {
    private var text: Data

    static func call(_ method: String, _ parameters: Data, more: Bool = false, oneway: Bool = false) -> ByteBuffer {
        var envelope = VarlinkEnvelope(parameters)
        envelope.add("method", method)
        if more { envelope.add(flag: "more") }
        if oneway { envelope.add(flag: "oneway") }
        return envelope.closed
    }

    static func reply(_ parameters: Data, continues: Bool) -> ByteBuffer {
        var envelope = VarlinkEnvelope(parameters)
        if continues { envelope.add(flag: "continues") }
        return envelope.closed
    }

    static func failure(_ name: String, _ parameters: Data) -> ByteBuffer {
        var envelope = VarlinkEnvelope(parameters)
        envelope.add("error", name)
        return envelope.closed
    }

    private init(_ parameters: Data) { text = Data("{\"parameters\":".utf8) + parameters }

    /// Names are ours or Varlink's: letters, digits, dots; anything else is left out rather than escaped.
    private mutating func add(_ member: String, _ name: String) {
        let plain = name.utf8.filter { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        text += Data(",\"\(member)\":\"".utf8) + plain + Data("\"".utf8)
    }

    private mutating func add(flag: String) { text += Data(",\"\(flag)\":true".utf8) }

    private var closed: ByteBuffer { ByteBuffer(bytes: text + [UInt8(ascii: "}"), 0]) }
}

extension Encodable {
    /// As one JSON object.
    func varlinkParameters() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
