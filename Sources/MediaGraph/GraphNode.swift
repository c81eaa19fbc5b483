import JSON

/// Kinds of nodes, of both API versions.
package enum NodeType: String, Hashable, Sendable, CaseIterable {
    case rtspSource = "MediaGraphRtspSource"
    case messageSource = "MediaGraphIoTHubMessageSource"
    case motionDetection = "MediaGraphMotionDetectionProcessor"
    case signalGate = "MediaGraphSignalGateProcessor"
    case frameRateFilter = "MediaGraphFrameRateFilterProcessor"
    case httpExtension = "MediaGraphHttpExtension"
    case grpcExtension = "MediaGraphGrpcExtension"
    case visionExtension = "MediaGraphCognitiveServicesVisionExtension"
    case assetSink = "MediaGraphAssetSink"
    case fileSink = "MediaGraphFileSink"
    case messageSink = "MediaGraphIoTHubMessageSink"

    package var section: NodeSection {
        switch self {
        case .rtspSource, .messageSource: .sources
        case .motionDetection, .signalGate, .frameRateFilter, .httpExtension, .grpcExtension, .visionExtension:
            .processors
        case .assetSink, .fileSink, .messageSink: .sinks
        }
    }
}

/// The lists that nodes are in, and the part of an event's subject that says so.
package enum NodeSection: String, Hashable, Sendable, CaseIterable {
    case sources, processors, sinks

    /// As paths of errors spell it.
    var pathName: String {
        switch self {
        case .sources: "Sources"
        case .processors: "Processors"
        case .sinks: "Sinks"
        }
    }
}

/// A node of a topology.
package struct GraphNode: Hashable, Sendable {
    package var type: NodeType
    /// Its place in the topology: `$.Properties.Sinks[0]`.
    package var path: String
    /// Everything but the type, under LVA's names.
    var properties: [String: NodeValue]

    package var name: String { properties["name"]?.text ?? "" }

    /// Names of the nodes it reads, in order; none for a source.
    package var inputs: [String] { (properties["inputs"]?.elements ?? []).map { $0["nodeName"]?.text ?? "" } }

    /// What tells it from others, for names are the same in any case.
    var key: String { name.lowercased() }

    /// Keys of its inputs, in order.
    var inputKeys: [String] { inputs.map { $0.lowercased() } }

    func json(_ form: SecretForm) -> JSONValue {
        var members = properties.compactMapValues { $0.json(form) }
        members["@type"] = .string(NodeShapes.prefix + type.rawValue)
        return .object(members)
    }
}
