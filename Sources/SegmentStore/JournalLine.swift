import Checksums
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
    static func decode(_ line: ArraySlice<UInt8>) -> JournalRecord? {
        let text = line.dropFirst(9)
        guard !text.isEmpty, line[text.startIndex - 1] == UInt8(ascii: " "),
            checksum(line.prefix(8)) == CRC32C(text).value
        else { return nil }
        let words = text.split(separator: UInt8(ascii: " "))
        guard words.count >= 3, let sequence = JournalFields.number(words[0]),
            let time = WallTime(rfc3339: String(decoding: words[1], as: UTF8.self))
        else { return nil }
        let kind = String(decoding: words[2], as: UTF8.self)
        let event = JournalEvent(kind: kind, JournalFields(words.dropFirst(3))) ?? .other(kind: kind)
        return JournalRecord(sequence: sequence, time: time, event: event)
    }

    /// Nil for anything but lower-case hexadecimal digits.
    private static func checksum(_ digits: ArraySlice<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
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

    fileprivate static func unescaped(_ value: ArraySlice<UInt8>) -> String {
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

/// The `key=value` words of one line.
struct JournalFields {
    private let words: ArraySlice<ArraySlice<UInt8>>

    init(_ words: ArraySlice<ArraySlice<UInt8>>) { self.words = words }

    subscript(_ key: StaticString) -> String? { bytes(key).map { JournalLine.unescaped($0) } }

    /// Bounded, so that a number read here plus one never overflows.
    static func number(_ digits: some Collection<UInt8>) -> Int64? {
        guard (1...15).contains(digits.count) else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    func number(_ key: StaticString) -> Int64? { bytes(key).flatMap { Self.number($0) } }

    func time(_ key: StaticString) -> WallTime? {
        bytes(key).flatMap { WallTime(rfc3339: String(decoding: $0, as: UTF8.self)) }
    }

    func span(_ key: StaticString) -> TimeSpan? { number(key).map { TimeSpan(microseconds: $0) } }

    func gapReason(_ key: StaticString) -> GapReason? { self[key].map { GapReason(rawValue: $0) ?? .unknown } }

    var segment: SegmentID? {
        guard let session = number("session"), let counter = number("counter") else { return nil }
        return SegmentID(session: session, counter: counter)
    }

    private func bytes(_ key: StaticString) -> ArraySlice<UInt8>? {
        let length = key.utf8CodeUnitCount
        return key.withUTF8Buffer { key in
            words.first { word in
                word.count > length && word[word.startIndex + length] == UInt8(ascii: "=")
                    && word.prefix(length).elementsEqual(key)
            }?.dropFirst(length + 1)
        }
    }
}
