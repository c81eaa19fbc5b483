/// Reads the small XML documents that services answer with: elements and their text, in order.
///
/// Strict where it matters, so that a page of HTML or half an answer is never taken for one: every element must be
/// closed by its own name, and nothing but blanks may follow the root. Attributes are passed over. What starts with
/// `<!` is refused, and with a document type every entity but the five of XML 1.0 §4.6 and characters by number.
package struct XMLScanner {
    package struct Malformed: Error {}

    /// One element that has no element within it.
    package struct Leaf: Hashable {
        /// The names around it from the root on, its own last.
        package var path: [String]
        package var text: String
    }

    /// More than any answer that is asked for nests.
    private static let depth = 8

    private var rest: ArraySlice<UInt8>
    private var path: [String] = []
    private var leaves: [Leaf] = []
    /// The last tag opened the element that the next one may close.
    private var isLeaf = false

    /// All leaves, in order; `root` is what the document must be.
    package static func leaves(_ bytes: [UInt8], root: String) throws(Malformed) -> [Leaf] {
        let isMarked = bytes.starts(with: [0xEF, 0xBB, 0xBF])  // Azure begins with a byte order mark.
        var scanner = XMLScanner(rest: bytes.dropFirst(isMarked ? 3 : 0))
        while try scanner.next(root) {}
        guard scanner.rest.allSatisfy({ $0 <= 0x20 }) else { throw Malformed() }
        return scanner.leaves
    }

    /// Text and the tag behind it; false when that closed the root.
    private mutating func next(_ root: String) throws(Malformed) -> Bool {
        let text = try upTo(UInt8(ascii: "<"))
        let tag = String(decoding: try upTo(UInt8(ascii: ">")), as: UTF8.self)
        if path.isEmpty, tag.hasPrefix("?") { return true }
        if tag.hasPrefix("/") {
            guard path.last.map({ $0 == tag.dropFirst() }) == true else { throw Malformed() }
            if isLeaf { leaves.append(Leaf(path: path, text: try Self.decoded(text))) }
            close()
        } else {
            let name = String(tag.prefix { !$0.isWhitespace && $0 != "/" })
            guard !name.isEmpty, !name.hasPrefix("!"), path.count < Self.depth, !path.isEmpty || name == root else {
                throw Malformed()
            }
            path.append(name)
            isLeaf = true
            if tag.hasSuffix("/") {
                leaves.append(Leaf(path: path, text: ""))
                close()
            }
        }
        return !path.isEmpty
    }

    private mutating func close() {
        path.removeLast()
        isLeaf = false
    }

    /// What is before the next `byte`, which is passed.
    private mutating func upTo(_ byte: UInt8) throws(Malformed) -> ArraySlice<UInt8> {
        guard let end = rest.firstIndex(of: byte) else { throw Malformed() }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> String {
        var text = ""
        var rest = bytes
        while let start = rest.firstIndex(of: UInt8(ascii: "&")) {
            text += String(decoding: rest[..<start], as: UTF8.self)
            guard let end = rest[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let character = character(String(decoding: rest[(start + 1)..<end], as: UTF8.self))
            else { throw Malformed() }
            text.unicodeScalars.append(character)
            rest = rest[(end + 1)...]
        }
        return text + String(decoding: rest, as: UTF8.self)
    }

    private static func character(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "amp": "&"
        case "lt": "<"
        case "gt": ">"
        case "quot": "\""
        case "apos": "'"
        default:
            if name.hasPrefix("#x") {
                UInt32(name.dropFirst(2), radix: 16).flatMap { Unicode.Scalar($0) }
            } else if name.hasPrefix("#") {
                UInt32(name.dropFirst()).flatMap { Unicode.Scalar($0) }
            } else {
                nil
            }
        }
    }
}
