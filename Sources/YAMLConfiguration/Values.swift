package import Recording

/// The kinds of values that a configuration holds; each reader takes the text as it is written.
package enum Values {
    /// ISO 8601 duration: `PT30S`, `PT2.5S`, `P30D`, `P1Y6M`; a year is 365 days, a month 30.
    package static func duration(_ text: String) throws(BadValue) -> TimeSpan {
        guard text.first == "P", let span = ISO8601Duration.span(of: text, takesYears: true) else {
            throw BadValue("not an ISO 8601 duration such as PT30S, PT5M, P30D or P1Y")
        }
        return span
    }

    static func segmentLength(_ text: String) throws(BadValue) -> TimeSpan {
        let length = try duration(text)
        guard (TimeSpan.seconds(2)...TimeSpan.seconds(3600)).contains(length) else {
            throw BadValue("\(text) is outside PT2S...PT1H")
        }
        return length
    }

    static func retention(_ text: String) throws(BadValue) -> TimeSpan {
        let length = try duration(text)
        guard length > .zero else { throw BadValue("\(text) would keep nothing; leave retention out to keep for ever") }
        return length
    }

    static func percent(_ text: String) throws(BadValue) -> Double {
        guard text.hasSuffix("%"), let value = Double(text.dropLast()), (0...90).contains(value) else {
            throw BadValue("not a percentage of the disk between 0% and 90%, such as 5%")
        }
        return value
    }

    /// A positive count of MiB, in bytes.
    static func mebibytes(_ text: String) throws(BadValue) -> Int64 {
        guard let count = Int64(text), (1...1 << 30).contains(count) else {
            throw BadValue("not a number of MiB such as 2048")
        }
        return count << 20
    }

    static func choice<Choice: RawRepresentable & CaseIterable>(
        _: Choice.Type
    ) -> (String) throws(BadValue) -> Choice where Choice.RawValue == String {
        { (text) throws(BadValue) in
            if let choice = Choice.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) {
                return choice
            }
            throw BadValue("expected \(Choice.allCases.map(\.rawValue).joined(separator: " or "))")
        }
    }

    static func site(_ text: String) throws(BadValue) -> SiteName {
        guard let site = SiteName(text) else { throw BadValue("not a site name: [a-z0-9][a-z0-9-]{0,31}") }
        return site
    }

    /// An absolute path without `.` and `..`, of which a trailing slash is cut off.
    static func path(_ text: String) throws(BadValue) -> String {
        let parts = text.split(separator: "/")
        guard text.hasPrefix("/"), !parts.isEmpty, !parts.contains("."), !parts.contains(".."),
            text.utf8.count < 1024, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { throw BadValue("not an absolute path such as /var/lib/cvr") }
        return "/" + parts.joined(separator: "/")
    }

    static func printable(_ text: String) throws(BadValue) -> String {
        guard text.utf8.count <= 256, text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw BadValue("longer than 256 bytes, or holds control characters")
        }
        return text
    }
}
