/// A box type: four ASCII characters, ISO/IEC 14496-12 §4.2.
struct BoxType: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    let code: UInt32

    init(code: UInt32) { self.code = code }

    init(stringLiteral text: String) { code = text.utf8.reduce(0) { $0 << 8 | UInt32($1) } }

    var description: String {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: code >> UInt32(24 - 8 * $0)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Appends big-endian fields and nested boxes.
struct BoxWriter {
    private(set) var bytes: [UInt8] = []

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ data: some Collection<UInt8>) { bytes.append(contentsOf: data) }

    mutating func zeros(_ count: Int) { bytes.append(contentsOf: repeatElement(0, count: count)) }

    /// Overwrites the first bytes, for what can only be known at the end.
    mutating func replaceStart(with data: [UInt8]) {
        bytes.replaceSubrange(..<min(data.count, bytes.count), with: data)
    }

    mutating func box(_ type: BoxType, _ body: (inout BoxWriter) -> Void) {
        let start = bytes.count
        put(UInt32(0))
        put(type.code)
        body(&self)
        let size = UInt32(clamping: bytes.count - start)
        withUnsafeBytes(of: size.bigEndian) { bytes.replaceSubrange(start..<start + 4, with: $0) }
    }

    mutating func fullBox(
        _ type: BoxType, version: UInt8 = 0, flags: UInt32 = 0, _ body: (inout BoxWriter) -> Void = { _ in }
    ) {
        box(type) { box in
            box.put(UInt32(version) << 24 | flags)
            body(&box)
        }
    }
}

/// Takes big-endian fields and boxes off the front of bytes of any origin.
///
/// Past the end every field reads as zero and `overran` stays set: parsers check once, at their end.
struct BoxReader {
    private(set) var rest: ArraySlice<UInt8>
    private(set) var overran = false

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type = Value.self) -> Value {
        take(Value.bitWidth / 8).reduce(0) { $0 << 8 | Value($1) }
    }

    /// Empty when fewer bytes are left.
    mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else {
            overran = true
            rest = []
            return []
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func skip(_ count: Int) { _ = take(count) }

    /// Nil at the end, or where no box fits.
    mutating func box() -> (type: BoxType, body: BoxReader)? {
        guard !rest.isEmpty else { return nil }
        let size = integer(UInt32.self)
        let type = BoxType(code: integer())
        let body = take(Int(size) - 8)
        return overran ? nil : (type, BoxReader(body))
    }

    /// The first child box of a type.
    func child(_ type: BoxType) -> BoxReader? { children(type).first }

    func children(_ type: BoxType) -> [BoxReader] {
        var boxes = self
        var found: [BoxReader] = []
        while let box = boxes.box() {
            if box.type == type { found.append(box.body) }
        }
        return found
    }

    /// The child at the end of a path of plain boxes.
    func descendant(_ path: BoxType...) -> BoxReader? {
        path.reduce(self as BoxReader?) { $0?.child($1) }
    }
}
