package import JSON
import Recording

/// A gate's state on disk, in microseconds since 1970; its settings are the instance's, and not in it.
extension SignalGate {
    package var json: JSONValue {
        var members: [String: JSONValue] = ["closed": .integer(closed.microseconds)]
        if let activation {
            members["activation"] = .object([
                "correlation": .string(activation.correlation), "first": .integer(activation.first.microseconds),
                "newest": .integer(activation.newest.microseconds), "until": .integer(activation.until.microseconds),
                "settles": .integer(activation.settles.microseconds), "isSettled": .bool(activation.isSettled),
            ])
        }
        return .object(members)
    }

    /// The gate as it was written; nil when that is not understood.
    package init?(_ settings: RecordingPlan.GateSettings, restoring json: JSONValue) {
        guard let closed = Self.time("closed", in: json) else { return nil }
        self.init(settings)
        self.closed = closed
        guard let written = json["activation"] else { return }
        guard case .string(let correlation)? = written["correlation"],
            case .bool(let isSettled)? = written["isSettled"],
            let first = Self.time("first", in: written), let newest = Self.time("newest", in: written),
            let until = Self.time("until", in: written), let settles = Self.time("settles", in: written)
        else { return nil }
        activation = Activation(
            correlation: correlation, first: first, newest: newest, until: until, settles: settles,
            isSettled: isSettled)
    }

    private static func time(_ name: String, in json: JSONValue) -> WallTime? {
        guard case .integer(let microseconds)? = json[name] else { return nil }
        return WallTime(microseconds: microseconds)
    }
}
