import JSON

/// Random numbers that are the same in every run (SplitMix64), and values made with them.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// Texts that graphs are made of, and some that nobody would write.
    static let words = [
        "", "a", "${", "}", "${}", "${rtspUrl}", "${System.DateTime}", "${System.PreciseDateTime}", "${nobody}",
        "PT30S",
        "-PT1S", "rtsp://10.0.0.21/1", "http://a", "rtsp://", "/var/media", "..", "/", "\u{0}", "ä€😀", "0", "-1",
        "true",
        "99999999999999999999", "1e999", "NaN", "Sample-1", "rtspSource", "assetSink", "video", "is", "mediaType",
        "${a${rtspUrl}}", "System.DateTime", "String", "SecretString", "Int", "#Microsoft.Media.MediaGraphAssetSink",
        "#Microsoft.Media.MediaGraphTlsEndpoint", "2.0", "$", "\\", "%", String(repeating: "x", count: 300),
    ]

    static let names = [
        "name", "@type", "@apiVersion", "properties", "parameters", "sources", "processors", "sinks", "inputs",
        "nodeName",
        "outputSelectors", "endpoint", "url", "credentials", "username", "password", "value", "type", "default",
        "assetNamePattern", "segmentLength", "localMediaCachePath", "NAME", "topologyName", "state", "systemData", "",
        "@sealed", "hubInputName", "trustedCertificates", "certificates", "image", "format", "transport",
    ]

    mutating func json(depth: Int = 4) -> JSONValue {
        switch below(depth > 0 ? 10 : 7) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .integer(pick([0, 1, -1, 30, .max, .min]))
        case 3: return .number(pick([0.5, -0.1, 1e300, .infinity, .nan, 9_223_372_036_854_775_808]))
        case 4, 5, 6: return .string(text())
        case 7: return .array((0..<below(4)).map { _ in json(depth: depth - 1) })
        default: return object(depth: depth)
        }
    }

    mutating func object(depth: Int = 4) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for _ in 0..<below(8) { members[pick(Self.names)] = json(depth: depth - 1) }
        return .object(members)
    }

    mutating func text() -> String { (0...below(3)).map { _ in pick(Self.words) }.joined() }

    /// The same value with something in it changed, taken away, doubled or put in.
    mutating func mutate(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(var members) where !members.isEmpty:
            let name = pick(members.keys.sorted())
            switch below(12) {
            case 0: members[name] = nil
            case 1: members[name] = json(depth: 2)
            case 2: members[pick(Self.names)] = members[name]
            case 3: members[name.uppercased()] = members[name]
            default: members[name] = members[name].map { mutate($0) }
            }
            return .object(members)
        case .array(var elements) where !elements.isEmpty:
            let position = below(elements.count)
            switch below(12) {
            case 0: elements.remove(at: position)
            case 1: elements[position] = json(depth: 2)
            case 2: elements.append(elements[position])
            case 3: elements.swapAt(position, below(elements.count))
            default: elements[position] = mutate(elements[position])
            }
            return .array(elements)
        case .string(let text): return .string(below(2) == 0 ? self.text() : text + self.text())
        default: return json(depth: 2)
        }
    }
}
