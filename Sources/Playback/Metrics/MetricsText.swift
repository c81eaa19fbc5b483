/// Prometheus's text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
struct MetricsText {
    enum Kind: String {
        case gauge, counter, summary
    }

    /// One line: labels in their order, and a value.
    struct Sample {
        fileprivate let labels: [(name: String, value: String)]
        fileprivate let value: String

        init(_ value: Int64, _ labels: [(name: String, value: String)] = []) {
            (self.labels, self.value) = (labels, "\(value)")
        }

        init(_ value: Double, _ labels: [(name: String, value: String)] = []) {
            self.labels = labels
            self.value = value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
        }

        init(_ value: Bool, _ labels: [(name: String, value: String)] = []) { self.init(value ? 1 : Int64(0), labels) }
    }

    private(set) var text = ""

    /// All samples of one name; without any it is left out.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        head(name, kind, help)
        for sample in samples { put(name, sample) }
    }

    /// A summary (0.99 of a recent window, and all since the start) for each of `samples`.
    mutating func add(_ name: String, _ help: String, _ samples: [(p99: Sample?, sum: Sample, count: Sample)]) {
        guard !samples.isEmpty else { return }
        head(name, .summary, help)
        for sample in samples {
            if let p99 = sample.p99 { put(name, p99, more: [("quantile", "0.99")]) }
            put(name + "_sum", sample.sum)
            put(name + "_count", sample.count)
        }
    }

    private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func put(_ name: String, _ sample: Sample, more: [(name: String, value: String)] = []) {
        let labels = (sample.labels + more).map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
        text += name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}") + " \(sample.value)\n"
    }

    /// Whoever named a camera or wrote a fault cannot write a line of ours.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
