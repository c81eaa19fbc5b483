package import FoundationEssentials

/// Finds the members of one JSON object (RFC 8259) without decoding them.
///
/// Strict, linear and bounded in depth whatever the bytes are (I9): what passes can be handed on unread.
package struct JSONObject {
    private let bytes: [UInt8]
    private var members: [String: Range<Int>] = [:]
    private var index = 0

    private struct Malformed: Error {}
    private static let depthLimit = 64

    /// Nil when `bytes` are anything but one object in UTF-8.
    package init?(_ bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        self.bytes = bytes
        do {
            skipSpace()
            members = try object(depth: 0, collecting: true)
            skipSpace()
        } catch {
            return nil
        }
        if index != bytes.endIndex { return nil }
    }

    /// The member's own bytes; nil when it is absent or null.
    package subscript(_ name: String) -> Data? {
        guard let range = members[name], bytes[range] != Array("null".utf8)[...] else { return nil }
        return Data(bytes[range])
    }

    package func string(_ name: String) -> String? {
        // What is no string, or an escape that is no character, is as good as absent to the caller.
        self[name].flatMap { try? JSONDecoder().decode(String.self, from: $0) }
    }

    /// False when absent; nil for anything but a boolean.
    package func flag(_ name: String) -> Bool? {
        switch self[name].map({ String(decoding: $0, as: UTF8.self) }) {
        case nil, "false": false
        case "true": true
        default: nil
        }
    }

    private func peek() throws(Malformed) -> UInt8 {
        guard index < bytes.endIndex else { throw Malformed() }
        return bytes[index]
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.endIndex, UInt32(bytes[index]) == character.value else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while take(" ") || take("\n") || take("\t") || take("\r") {}
    }

    private mutating func object(depth: Int, collecting: Bool = false) throws(Malformed) -> [String: Range<Int>] {
        guard take("{"), depth < Self.depthLimit else { throw Malformed() }
        var found: [String: Range<Int>] = [:]
        skipSpace()
        if take("}") { return found }
        repeat {
            skipSpace()
            let keyStart = index
            try string()
            let key = keyStart + 1..<index - 1
            skipSpace()
            guard take(":") else { throw Malformed() }
            skipSpace()
            let start = index
            try value(depth: depth)
            if collecting { found[String(decoding: bytes[key], as: UTF8.self)] = start..<index }
            skipSpace()
        } while take(",")
        guard take("}") else { throw Malformed() }
        return found
    }

    private mutating func array(depth: Int) throws(Malformed) {
        guard take("["), depth < Self.depthLimit else { throw Malformed() }
        skipSpace()
        if take("]") { return }
        repeat {
            skipSpace()
            try value(depth: depth)
            skipSpace()
        } while take(",")
        guard take("]") else { throw Malformed() }
    }

    private mutating func value(depth: Int) throws(Malformed) {
        switch try peek() {
        case UInt8(ascii: "{"): _ = try object(depth: depth + 1)
        case UInt8(ascii: "["): try array(depth: depth + 1)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func word(_ text: StaticString) throws(Malformed) {
        let end = index + text.utf8CodeUnitCount
        guard end <= bytes.endIndex, bytes[index..<end].elementsEqual("\(text)".utf8) else { throw Malformed() }
        index = end
    }

    private mutating func string() throws(Malformed) {
        guard take("\"") else { throw Malformed() }
        while true {
            let byte = try peek()
            index += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte < 0x20 { throw Malformed() }
            if byte == UInt8(ascii: "\\") { try escape() }
        }
    }

    private mutating func escape() throws(Malformed) {
        let kind = try peek()
        index += 1
        if "\"\\/bfnrt".utf8.contains(kind) { return }
        guard kind == UInt8(ascii: "u") else { throw Malformed() }
        for _ in 0..<4 {
            guard Character(Unicode.Scalar(try peek())).isHexDigit else { throw Malformed() }
            index += 1
        }
    }

    private mutating func number() throws(Malformed) {
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            try digits()
        }
    }

    private mutating func digits() throws(Malformed) {
        let start = index
        while index < bytes.endIndex, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
        if index == start { throw Malformed() }
    }
}
