package import JSON
package import Recording

/// An event of a media graph as LVA writes it, but for when it happened and on which box, which its sender adds.
package struct MediaGraphEvent: Hashable, Sendable {
    /// `Microsoft.Media.Graph.Operational.RecordingStarted`; what routes and subscriptions filter by.
    package let type: String
    /// `/graphInstances/NAME/sources/NODE` or `…/sinks/NODE`; `/` is the box.
    package let subject: String
    package let body: JSONValue
    /// What an IoT Hub message sink calls its output; nil for operational and diagnostic events.
    package let output: String?

    package static let dataVersion = "1.0"

    /// Whose event it is.
    package struct Origin: Hashable, Sendable {
        package let subject: String

        package static func source(_ node: String, of instance: String) -> Origin {
            Origin(subject: "/graphInstances/\(instance)/sources/\(node)")
        }

        package static func sink(_ node: String, of instance: String) -> Origin {
            Origin(subject: "/graphInstances/\(instance)/sinks/\(node)")
        }
    }

    /// Where a sink writes.
    package enum RecordingOutput: Hashable, Sendable {
        /// The asset's name in the store.
        case asset(String)
        /// An absolute path.
        case file(String)

        fileprivate var body: JSONValue {
            let (type, location) =
                switch self {
                case .asset(let name): ("assetName", name)
                case .file(let path): ("filePath", path)
                }
            return .object(["outputType": .string(type), "outputLocation": .string(location)])
        }
    }

    fileprivate init(_ type: String, _ origin: Origin, _ body: JSONValue, output: String? = nil) {
        self.init(type: "Microsoft.Media.Graph.\(type)", subject: origin.subject, body: body, output: output)
    }

    private init(type: String, subject: String, body: JSONValue, output: String?) {
        (self.type, self.subject, self.body, self.output) = (type, subject, body, output)
    }

    /// Of the box itself: the one type that is not a graph's.
    package static func runtimeError(code: String) -> MediaGraphEvent {
        MediaGraphEvent(
            type: "Microsoft.Media.Edge.Diagnostics.RuntimeError", subject: "/",
            body: .object(["code": .string(code)]), output: nil)
    }
}

/// Operational events: what became of footage. Origin: the sink.
extension MediaGraphEvent {
    /// The sink begins; nothing need be stored yet.
    package static func recordingStarted(_ origin: Origin, _ output: RecordingOutput) -> MediaGraphEvent {
        MediaGraphEvent("Operational.RecordingStarted", origin, output.body)
    }

    /// The first of it can be played from the store, or the file is complete.
    package static func recordingAvailable(_ origin: Origin, _ output: RecordingOutput) -> MediaGraphEvent {
        MediaGraphEvent("Operational.RecordingAvailable", origin, output.body)
    }

    /// The gate closed, or the instance was deactivated.
    package static func recordingStopped(_ origin: Origin, _ output: RecordingOutput) -> MediaGraphEvent {
        MediaGraphEvent("Operational.RecordingStopped", origin, output.body)
    }
}

/// Diagnostic events.
extension MediaGraphEvent {
    /// An RTSP session is up.
    ///
    /// Origin: the source.
    package static func mediaSessionEstablished(_ origin: Origin, sdp: String) -> MediaGraphEvent {
        MediaGraphEvent("Diagnostics.MediaSessionEstablished", origin, .object(["sdp": .string("SDP:\n\(sdp)")]))
    }

    /// The camera answered, and not as it should.
    ///
    /// `code` is RTSP's, as "404", where it gave one. LVA's versions differ in what they call that, so it is there by
    /// both names. `target` is the camera's URL, without password.
    package static func protocolError(_ origin: Origin, code: String, target: String) -> MediaGraphEvent {
        MediaGraphEvent(
            "Diagnostics.ProtocolError", origin,
            .object([
                "code": .string(code), "errorCode": .string(code), "target": .string(target),
                "protocol": .string("rtsp"),
            ]))
    }

    package static func networkError(_ origin: Origin, code: String) -> MediaGraphEvent {
        MediaGraphEvent("Diagnostics.NetworkError", origin, .object(["errorCode": .string(code)]))
    }

    /// The camera refused user name or password.
    package static func authenticationError(_ origin: Origin, code: String) -> MediaGraphEvent {
        MediaGraphEvent("Diagnostics.AuthenticationError", origin, .object(["errorCode": .string(code)]))
    }

    /// The camera knows the user and refuses the stream.
    package static func authorizationError(_ origin: Origin, code: String) -> MediaGraphEvent {
        MediaGraphEvent("Diagnostics.AuthorizationError", origin, .object(["errorCode": .string(code)]))
    }

    /// The camera sends what cannot be recorded; code: `unsupportedVideoFormat` or `unsupportedAudioFormat`.
    package static func mediaFormatError(_ origin: Origin, code: String, at time: WallTime) -> MediaGraphEvent {
        MediaGraphEvent(
            "Diagnostics.MediaFormatError", origin,
            .object(["timestamp": .integer(time.microseconds / 1000), "code": .string(code)]))
    }

    /// Footage went unsent, as from a cache that is full.
    ///
    /// Origin: the sink.
    package static func dataDropped(_ origin: Origin, dataType: String = "media") -> MediaGraphEvent {
        MediaGraphEvent("Diagnostics.DataDropped", origin, .object(["dataType": .string(dataType)]))
    }

    /// The store, named by its account, bucket or path, does not take footage.
    ///
    /// Origin: the sink.
    package static func storageError(_ origin: Origin, storageAccountName: String) -> MediaGraphEvent {
        MediaGraphEvent(
            "Diagnostics.StorageError", origin, .object(["storageAccountName": .string(storageAccountName)]))
    }
}

/// Analytics events, which leave through an IoT Hub message sink alone.
extension MediaGraphEvent {
    /// A message that reached a message sink.
    ///
    /// Origin: the node that it came from. The body is the sender's; an object gets the time where it has none.
    package static func inference(
        _ origin: Origin, body: JSONValue, at time: WallTime, output: String
    ) -> MediaGraphEvent {
        var body = body
        if case .object(var members) = body, members["timestamp"] == nil {
            members["timestamp"] = .integer(mediaTimestamp(time))
            body = .object(members)
        }
        return MediaGraphEvent("Analytics.Inference", origin, body, output: output)
    }

    /// The time scale of `timestamp` in analytics: 90,000 a second since 1970, as the fragments of LVA's streams have.
    package static func mediaTimestamp(_ time: WallTime) -> Int64 { time.microseconds.scaled(by: 9, over: 100) }
}
