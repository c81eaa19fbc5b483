import TestSupport

/// What goes wrong on the way of one segment to the store, drawn from a seed.
struct FaultPlan: Hashable {
    /// Words of `contrib/faultproxy/faultproxy.py`, one a request.
    var faults: [String]
    /// What a table of results counts it by: the first fault without its numbers.
    var kind: String
    /// How many steps of the upload go well before the process dies; nil lets it live.
    var death: Int?

    /// Every kind of fault, and how often it is drawn.
    private static let kinds: [(name: String, weight: Int)] = [
        ("pass", 4), ("cut-request", 8), ("lose-request", 6), ("bend-request", 8), ("cut-response", 8),
        ("lose-response", 8), ("bend-response", 8), ("twice", 6), ("again", 6), ("late", 6), ("delay", 3), ("stall", 1),
        ("before", 8), ("after", 8), ("skew", 4), ("echo", 6), ("redirect", 4),
    ]

    init(_ random: inout SeededRandom) {
        if Int.random(in: 0..<50, using: &random) == 0 {
            (kind, faults) = Self.storm(&random)
        } else {
            faults = (0..<Int.random(in: 1...3, using: &random)).map { _ in Self.fault(&random) }
            kind = (faults.first ?? "pass").split(separator: "/").last.map { String($0.prefix { $0 != ":" }) } ?? "pass"
        }
        death = Int.random(in: 0..<6, using: &random) == 0 ? Int.random(in: 0..<8, using: &random) : nil
    }

    /// Dozens in a row: a service that is too busy, or a box whose clock is wrong.
    private static func storm(_ random: inout SeededRandom) -> (kind: String, faults: [String]) {
        let count = Int.random(in: 24...48, using: &random)
        guard Int.random(in: 0..<4, using: &random) > 0 else {
            return ("skewed for long", Array(repeating: "skew", count: count))
        }
        let after = ["", ":1", ":7", ":3600"].randomElement(using: &random) ?? ""
        let faults = (0..<count).map { _ in (Bool.random(using: &random) ? "before:429" : "before:503") + after }
        return ("storm" + (after.isEmpty ? "" : ", Retry-After"), faults)
    }

    private static func fault(_ random: inout SeededRandom) -> String {
        var number = Int.random(in: 0..<kinds.reduce(0) { $0 + $1.weight }, using: &random)
        let name = kinds.first { (number -= $0.weight, number < 0).1 }?.name ?? "pass"
        // Half of them wait for the write itself: whatever else is asked goes well before it.
        let place = Bool.random(using: &random) ? "PUT/" : ""
        switch name {
        case "cut-request", "bend-request", "cut-response", "bend-response":
            return "\(place)\(name):\(Double(Int.random(in: 0...1000, using: &random)) / 1000)"
        case "delay": return "\(place)delay:0.02"
        case "before", "after":
            let status = [500, 502, 503, 504, 429, 408].randomElement(using: &random) ?? 500
            return "\(place)\(name):\(status)" + (Bool.random(using: &random) ? ":1" : "")
        default: return place + name
        }
    }
}
