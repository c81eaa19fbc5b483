/// Graphs of the same shape as those that Microsoft's users start from, in every spelling of theirs.
package enum Form: String, CaseIterable, Sendable {
    case v1 = "1.0"
    case v2 = "2.0"
    /// API 1.0 with a capital here, a bare number there.
    case root

    package var version: String { self == .v2 ? "2.0" : "1.0" }
}

package struct SampleNode: Sendable {
    /// R H M G F X P V A L S, as in the table of samples.
    package var kind: Character
    package var name: String
    package var inputs: [String]

    package init(kind: Character, name: String, inputs: [String] = []) {
        (self.kind, self.name, self.inputs) = (kind, name, inputs)
    }

    package static func node(_ kind: Character, _ inputs: Character...) -> SampleNode {
        SampleNode(kind: kind, name: names[kind] ?? "", inputs: inputs.map { names[$0] ?? "" })
    }

    package static let names: [Character: String] = [
        "R": "rtspSource", "H": "iotMessageSource", "M": "motionDetection", "G": "signalGateProcessor",
        "F": "frameRateFilter", "X": "httpExtension", "P": "grpcExtension", "Q": "grpcExtensionSource",
        "V": "computerVisionExtension", "A": "assetSink", "L": "fileSink", "S": "hubSink",
    ]
}

package struct SampleGraph: Sendable, CustomStringConvertible {
    package var folder: String
    package var name: String
    package var nodes: [SampleNode]
    package var forms: [Form] = Form.allCases
    package var gateLength = "PT30S"
    package var gateOffset = "PT0S"
    package var takesSound = false

    package var description: String { folder }

    /// Nodes of a form: the frame rate filter is of 1.0, and what read it reads what it read.
    package func nodes(in form: Form) -> [SampleNode] {
        guard form == .v2, let filter = nodes.first(where: { $0.kind == "F" }) else { return nodes }
        return nodes.filter { $0.kind != "F" }.map { node in
            var node = node
            node.inputs = node.inputs.flatMap { $0 == filter.name ? filter.inputs : [$0] }
            return node
        }
    }

    /// What this engine does not run of it.
    package func refused(in form: Form) -> Set<String> {
        Set(nodes(in: form).filter { "MFXPQV".contains($0.kind) }.map(\.name))
    }
}

extension SampleGraph {
    private typealias Node = SampleNode

    private static let r = Node.node("R")
    private static let motion = Node.node("M", "R")
    private static let motionGate = Node.node("G", "M", "R")
    private static let filter = Node.node("F", "R")
    private static let asset = Node.node("A", "G")

    package static let all: [SampleGraph] = [
        SampleGraph(folder: "cvr-asset", name: "CVRToAMSAsset", nodes: [r, .node("A", "R")]),
        SampleGraph(
            folder: "audio-video", name: "AudioVideo", nodes: [r, .node("A", "R")], forms: [.v2], takesSound: true),
        SampleGraph(
            folder: "cvr-with-motion", name: "CVRWithMotionDetection",
            nodes: [r, motion, .node("A", "R"), .node("S", "M")]),
        SampleGraph(
            folder: "evr-motion-assets", name: "EVRtoAssetsOnMotionDetection",
            nodes: [r, motion, motionGate, asset, .node("S", "M")]),
        SampleGraph(
            folder: "evr-motion-files", name: "EVRToFilesOnMotionDetection",
            nodes: [r, motion, motionGate, .node("L", "G")], gateLength: "PT5S"),
        SampleGraph(
            folder: "evr-motion-assets-files", name: "EVRToFilesAndAssetsOnMotion",
            nodes: [r, motion, motionGate, asset, .node("L", "G")]),
        SampleGraph(
            folder: "evr-hubMessage-files", name: "EVRtoFilesBasedOnHubMessages",
            nodes: [r, .node("H"), .node("G", "H", "R"), .node("L", "G")], gateLength: "PT5S"),
        SampleGraph(folder: "motion-detection", name: "MotionDetection", nodes: [r, motion, .node("S", "M")]),
        SampleGraph(
            folder: "evr-hubMessage-assets", name: "EVRtoAssetsOnObjDetect",
            nodes: [r, .node("H"), .node("G", "H", "R"), filter, .node("X", "F"), asset, .node("S", "X")],
            gateOffset: "-PT5S"),
        SampleGraph(
            folder: "evr-httpExtension-assets", name: "EVRtoAssetsByHttpExtension",
            nodes: [r, filter, .node("X", "F"), .node("G", "X", "R"), asset, .node("S", "X")]),
        SampleGraph(
            folder: "evr-grpcExtension-assets", name: "EVRtoAssetsByGrpcExtension",
            nodes: [r, filter, .node("P", "F"), .node("G", "P", "R"), asset, .node("S", "P")]),
        SampleGraph(
            folder: "cvr-with-httpExtension", name: "CVRWithHttpExtension",
            nodes: [r, filter, .node("X", "F"), .node("S", "X"), .node("A", "R")]),
        SampleGraph(
            folder: "cvr-with-grpcExtension", name: "CVRWithGrpcExtension",
            nodes: [r, filter, .node("P", "F"), .node("S", "P"), .node("A", "R")]),
        SampleGraph(
            folder: "motion-with-httpExtension", name: "EVROnMotionPlusHttpExtension",
            nodes: [r, motion, .node("F", "M"), motionGate, .node("X", "F"), asset, .node("S", "X")]),
        SampleGraph(
            folder: "motion-with-grpcExtension", name: "EVROnMotionPlusGrpcExtension",
            nodes: [r, motion, .node("F", "M"), motionGate, .node("P", "F"), asset, .node("S", "P")]),
        SampleGraph(
            folder: "httpExtension", name: "InferencingWithHttpExtension",
            nodes: [r, filter, .node("X", "F"), .node("S", "X")]),
        SampleGraph(
            folder: "httpExtensionOpenVINO", name: "InferencingWithOpenVINO",
            nodes: [r, filter, .node("X", "F"), .node("S", "X")]),
        SampleGraph(
            folder: "grpcExtension", name: "InferencingWithGrpcExtension",
            nodes: [r, motion, motionGate, .node("P", "M"), asset, .node("S", "P")], gateLength: "PT15S"),
        SampleGraph(
            folder: "lva-spatial-analysis", name: "InferencingWithCVExtension",
            nodes: [r, filter, .node("V", "F"), .node("G", "V", "R"), asset, .node("S", "V")]),
        SampleGraph(
            folder: "ai-composition", name: "AIComposition",
            nodes: [r, motion, .node("Q", "M"), .node("P", "Q"), .node("G", "P", "R"), asset, .node("S", "P")],
            forms: [.v2]),
    ]

    package static func named(_ folder: String) -> SampleGraph { all.first { $0.folder == folder } ?? all[0] }

    /// Each graph in each of its spellings.
    package static let spellings: [(graph: SampleGraph, form: Form)] = all.flatMap { graph in
        graph.forms.map { (graph, $0) }
    }
}
