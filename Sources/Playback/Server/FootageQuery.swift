import Footage
import Hummingbird
import Recording

/// The query of a request about footage; every value is outside data.
struct FootageQuery {
    private let parameters: [String: String]
    private let all: [(name: String, value: String)]

    init(_ request: Request) {
        all = request.uri.queryParameters.map { (String($0.key), String($0.value)) }
        parameters = Dictionary(all.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    func text(_ name: String) -> String? { parameters[name] }

    /// Of a parameter that may be there several times, in order.
    func texts(_ name: String) -> [String] { all.filter { $0.name == name }.map(\.value) }

    func required(_ name: String) throws -> String {
        guard let text = text(name), !text.isEmpty else {
            throw Refusal.badRequest("'\(name)' is missing", nextStep: "add \(name)= to the query")
        }
        return text
    }

    /// Nil when it is absent.
    func time(_ name: String) throws -> WallTime? {
        guard let text = text(name) else { return nil }
        guard let time = WallTime(rfc3339: text) else {
            throw Refusal.badRequest(
                "'\(name)' is no time", nextStep: "give RFC 3339, as 2026-11-26T08:00:00Z, with + as %2B")
        }
        return time
    }

    func requiredTime(_ name: String) throws -> WallTime {
        guard let time = try time(name) else {
            throw Refusal.badRequest("'\(name)' is missing", nextStep: "add \(name)= to the query")
        }
        return time
    }

    /// True for what goes on after a gap: the default.
    func skipsGaps() throws -> Bool {
        switch text("gap") ?? "skip" {
        case "skip": true
        case "stop": false
        default: throw Refusal.badRequest("'gap' is neither skip nor stop", nextStep: "give gap=skip or gap=stop")
        }
    }

    /// Seconds, with or without an `s`.
    func duration(_ name: String) throws -> TimeSpan {
        let text = try required(name)
        let number = text.hasSuffix("s") ? String(text.dropLast()) : text
        guard let seconds = Double(number), seconds.isFinite, seconds > 0 else {
            throw Refusal.badRequest("'\(name)' is no length of time", nextStep: "give seconds, as \(name)=60")
        }
        return TimeSpan(seconds: seconds)
    }

    /// What `names` of it say, to be added to an address behind `mark`, `?` or `&`; empty when they say nothing.
    func carried(_ names: [String], behind mark: String) -> String {
        let parts = names.compactMap { name in text(name).map { "\(name)=\($0.queryEncoded)" } }
        return parts.isEmpty ? "" : mark + parts.joined(separator: "&")
    }
}

extension String {
    /// Percent-encoded but for RFC 3986's unreserved characters.
    var queryEncoded: String {
        utf8.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        .joined()
    }
}
