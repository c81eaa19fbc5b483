package import Recording

/// What an instance does once its parameters are in.
///
/// Made by `RecordingPlan.make`; an instance whose plan has refusals must not be activated.
package struct RecordingPlan: Hashable, Sendable {
    package enum Transport: Hashable, Sendable {
        /// RTP interleaved in the RTSP connection.
        case tcp
        /// The same, tunnelled in HTTP.
        case http
    }

    package struct Source: Hashable, Sendable {
        package var nodeName: String
        /// `rtsp://…` (`rtsps://…` behind a TLS endpoint), without user name and password.
        package var url: Secret
        /// The URL came out of a SecretString: no event, log or listing may show it (I10).
        package var isURLSecret: Bool
        package var transport: Transport
        /// Empty: none; sent only when the camera asks, for LVA's samples have dummies here.
        package var username: Secret
        package var password: Secret
    }

    package struct AssetOutput: Hashable, Sendable {
        package var nodeName: String
        /// Resolves to what `GraphText.assetNameExpression` matches.
        package var pattern: NamePattern
        package var segmentLength: TimeSpan
        /// Budget of the camera's cache; nil: not given (API 1.0).
        package var cacheBytes: Int64?
    }

    package struct FileOutput: Hashable, Sendable {
        package var nodeName: String
        /// Where the topology says where it writes: `$.Properties.Sinks[0].BaseDirectoryPath`.
        package var place: String
        /// Absolute, without `.` and `..`, with no slash at its end.
        package var directory: String
        /// Resolves to a file's name without its `.mp4`; always with a time, so that no file is written over another.
        package var pattern: NamePattern
        /// All files of this sink together; nil: no bound (API 1.0).
        package var maximumBytes: Int64?
    }

    package struct GateSettings: Hashable, Sendable {
        package var nodeName: String
        package var evaluationWindow: TimeSpan
        /// Negative: the recording begins before the event.
        package var offset: TimeSpan
        package var minimum: TimeSpan
        package var maximum: TimeSpan

        package init(
            nodeName: String, evaluationWindow: TimeSpan, offset: TimeSpan, minimum: TimeSpan, maximum: TimeSpan
        ) {
            self.nodeName = nodeName
            self.evaluationWindow = evaluationWindow
            self.offset = offset
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    package struct MessageSource: Hashable, Sendable {
        package var nodeName: String
        package var inputName: String
    }

    package struct MessageSink: Hashable, Sendable {
        package var nodeName: String
        package var outputName: String
    }

    package var instance: String
    package var topology: String
    package var source: Source
    package var asset: AssetOutput?
    package var file: FileOutput?
    /// Nil: everything is recorded.
    package var gate: GateSettings?
    /// Those that open the gate.
    package var messageSources: [MessageSource]
    /// Those that what passes the gate reaches.
    package var messageSinks: [MessageSink]
    package var takesAudio: Bool
    package var takesVideo: Bool
    /// ModuleValidationError of each node that this engine cannot run, in the order of the topology.
    package var refusals: [GraphError.Detail]

    /// Why the instance cannot be activated: 400 with the refusals; nil when it can.
    package var error: GraphError? { error(with: []) }

    /// The same, with what else is in the way.
    package func error(with others: [GraphError.Detail]) -> GraphError? {
        guard !refusals.isEmpty || !others.isEmpty else { return nil }
        return GraphError(
            status: 400, code: "InvalidResource",
            message: "This instance cannot run on this box; its details say which node, why, and what to do.",
            details: refusals + others)
    }
}
