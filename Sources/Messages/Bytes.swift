import Recording

/// Appends fields in the worker channel's encoding (see `Frame`).
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ value: UInt8) { bytes.append(value) }

    mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func put(_ value: UInt32) { putBigEndian(UInt64(value), width: 4) }

    mutating func put(_ value: Int64) { putBigEndian(UInt64(bitPattern: value), width: 8) }

    mutating func put(_ value: Double) { putBigEndian(value.bitPattern, width: 8) }

    mutating func put(_ text: String) {
        put(UInt32(clamping: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func put(_ time: WallTime) { put(time.microseconds) }

    mutating func put(_ span: TimeSpan) { put(span.microseconds) }

    mutating func put(_ fault: Fault) {
        put(fault.code)
        put(fault.message)
        put(fault.nextStep)
    }

    mutating func put<Value>(_ value: Value?, _ write: (inout ByteWriter, Value) -> Void) {
        put(value != nil)
        if let value { write(&self, value) }
    }

    private mutating func putBigEndian(_ value: UInt64, width: Int) {
        for index in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}

/// Takes fields off the front of a message; every short read is an error, never a trap.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func byte() throws(MessageError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw MessageError("a message that ends inside a field") }
        return byte
    }

    mutating func flag() throws(MessageError) -> Bool { try byte() != 0 }

    mutating func uint32() throws(MessageError) -> UInt32 { UInt32(truncatingIfNeeded: try bigEndian(4)) }

    mutating func int64() throws(MessageError) -> Int64 { Int64(bitPattern: try bigEndian(8)) }

    mutating func double() throws(MessageError) -> Double { Double(bitPattern: try bigEndian(8)) }

    /// A number of something a second, within what a camera can send: a liar's would make sums that are no numbers.
    mutating func rate() throws(MessageError) -> Double {
        let rate = try double()
        return rate.isFinite ? min(max(rate, 0), 1e10) : 0
    }

    mutating func text() throws(MessageError) -> String {
        let count = Int(try uint32())
        guard count <= rest.count else { throw MessageError("a message that ends inside a text") }
        let text = String(decoding: rest.prefix(count), as: UTF8.self)
        rest = rest.dropFirst(count)
        return text
    }

    mutating func wallTime() throws(MessageError) -> WallTime { WallTime(microseconds: try int64()) }

    mutating func timeSpan() throws(MessageError) -> TimeSpan { TimeSpan(microseconds: try int64()) }

    mutating func fault() throws(MessageError) -> Fault {
        Fault(code: try text(), message: try text(), nextStep: try text())
    }

    mutating func optional<Value>(
        _ read: (inout ByteReader) throws(MessageError) -> Value
    ) throws(MessageError) -> Value? {
        try flag() ? try read(&self) : nil
    }

    /// Every decoder ends here: bytes left over mean that the two sides disagree.
    func finish() throws(MessageError) {
        guard rest.isEmpty else { throw MessageError("a message with \(rest.count) bytes too many") }
    }

    private mutating func bigEndian(_ width: Int) throws(MessageError) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<width { value = value << 8 | UInt64(try byte()) }
        return value
    }
}
