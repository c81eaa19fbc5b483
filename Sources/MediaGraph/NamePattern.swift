package import Recording

/// The name of an asset or a file in which nothing but the time of its start is open.
package struct NamePattern: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        case text(String)
        /// `System.DateTime`: `20200222T173200Z`.
        case dateTime
        /// `System.PreciseDateTime`: `20200222T173200.123Z`.
        case preciseDateTime
    }

    /// No two texts beside each other: patterns that resolve to the same are the same.
    package let parts: [Part]

    package init(_ parts: [Part]) {
        self.parts = parts.reduce(into: []) { merged, part in
            if case .text(let text) = part, case .text(let before)? = merged.last {
                merged[merged.count - 1] = .text(before + text)
            } else if part != .text("") {
                merged.append(part)
            }
        }
    }

    /// The same name with something behind it.
    func adding(_ more: Part...) -> NamePattern { NamePattern(parts + more) }

    /// Whether each recording gets a name of its own.
    package var hasTime: Bool { parts.contains { $0 == .dateTime || $0 == .preciseDateTime } }

    /// The name of a recording that begins at `time`; UTC.
    package func resolve(at time: WallTime) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .dateTime: Self.compact(time) + "Z"
            case .preciseDateTime: Self.compact(time) + "." + padded(time.civil.microsecond / 1000, 3) + "Z"
            }
        }.joined()
    }

    private static func compact(_ time: WallTime) -> String {
        let civil = time.civil
        return padded(civil.year, 4) + padded(civil.month, 2) + padded(civil.day, 2) + "T" + padded(civil.hour, 2)
            + padded(civil.minute, 2) + padded(civil.second, 2)
    }
}
