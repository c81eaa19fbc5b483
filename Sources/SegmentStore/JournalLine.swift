import Recording

/// A record as text: `<crc32c> <sequence> <time> <kind> key=value …`, without the newline.
enum JournalLine {
    /// No record is longer: what is longer is noise.
    static let longest = 8192

    static func encode(_ record: JournalRecord) -> [UInt8] {
        var text = "\(record.sequence) \(record.time.rfc3339Microseconds) \(record.event.kind)"
        for (key, value) in record.event.fields { text += " \(key)=\(escaped(value))" }
        return Array("\(CRC32C(Array(text.utf8)).hex) \(text)".utf8)
    }

    /// Nil for noise; a record of an unknown kind, or with fields that this build cannot read, is `.other`.
    static func decode(_ line: [UInt8]) -> JournalRecord? {
        let space = UInt8(ascii: " ")
        guard line.count > 9, line[8] == space, line.prefix(8).elementsEqual(CRC32C(line[9...]).hex.utf8) else {
            return nil
        }
        let words = line[9...].split(separator: space)
        guard words.count >= 3, let sequence = JournalFields.number(String(decoding: words[0], as: UTF8.self)),
            let time = WallTime(rfc3339: String(decoding: words[1], as: UTF8.self))
        else { return nil }
        let kind = String(decoding: words[2], as: UTF8.self)
        var fields: [String: String] = [:]
        for word in words.dropFirst(3) {
            guard let sign = word.firstIndex(of: UInt8(ascii: "=")) else { continue }
            fields[String(decoding: word[..<sign], as: UTF8.self)] = unescaped(word[(sign + 1)...])
        }
        let event = JournalEvent(kind: kind, JournalFields(fields)) ?? .other(kind: kind)
        return JournalRecord(sequence: sequence, time: time, event: event)
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for byte in value.utf8 {
            if byte > 32, byte < 127, byte != UInt8(ascii: "%"), byte != UInt8(ascii: "=") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }

    private static func unescaped(_ value: ArraySlice<UInt8>) -> String {
        guard value.contains(UInt8(ascii: "%")) else { return String(decoding: value, as: UTF8.self) }
        var bytes: [UInt8] = []
        var rest = value
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let code = UInt8(digits, radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The fields of one line, by key.
struct JournalFields {
    private let fields: [String: String]

    init(_ fields: [String: String]) { self.fields = fields }

    subscript(_ key: String) -> String? { fields[key] }

    /// Bounded, so that a number read here plus one never overflows.
    static func number(_ text: some StringProtocol) -> Int64? {
        Int64(text).flatMap { (0...999_999_999_999_999).contains($0) ? $0 : nil }
    }

    func number(_ key: String) -> Int64? { self[key].flatMap { Self.number($0) } }

    func time(_ key: String) -> WallTime? { self[key].flatMap { WallTime(rfc3339: $0) } }

    func span(_ key: String) -> TimeSpan? { number(key).map { TimeSpan(microseconds: $0) } }

    func gapReason(_ key: String) -> GapReason? { self[key].map { GapReason(rawValue: $0) ?? .unknown } }

    var segment: SegmentID? {
        guard let session = number("session"), let counter = number("counter") else { return nil }
        return SegmentID(session: session, counter: counter)
    }
}
