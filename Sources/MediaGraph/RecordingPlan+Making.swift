import JSON
import Recording

extension RecordingPlan {
    /// The plan of an instance: every `${}` but the times resolved, everything held to its format once more.
    ///
    /// Throws 400 InvalidResource with every mistake. What is right and cannot run here is in `refusals`.
    package static func make(_ instance: Instance, of topology: Topology) throws(GraphError) -> RecordingPlan {
        let mistakes = instance.mistakes(in: topology)
        guard mistakes.isEmpty else { throw .invalidResource(mistakes) }
        let maker = PlanMaker(instance, of: topology)
        guard let camera = topology.nodes.first(where: { $0.type == .rtspSource }) else {
            throw .invalidResource([
                GraphError.Detail(
                    .graphValidationError, at: "$.Properties.Sources",
                    "A topology needs one MediaGraphRtspSource: add it.")
            ])
        }
        let asset = topology.nodes.first { $0.type == .assetSink }
        let file = topology.nodes.first { $0.type == .fileSink }
        let gateNode = [asset, file].compactMap(\.self).flatMap(maker.gates).first
        let media = StreamSelection.of(asset ?? file, maker)
        return RecordingPlan(
            instance: instance.name, topology: topology.name, source: try maker.source(camera),
            asset: asset.map(maker.asset), file: file.flatMap(maker.file), gate: gateNode.map(maker.gate),
            messageSources: gateNode.map(maker.messageSources) ?? [],
            messageSinks: gateNode.map(maker.messageSinks) ?? [],
            takesAudio: media.takesAudio, takesVideo: media.takesVideo, refusals: PlanRefusals(maker).found)
    }
}

/// Reads nodes with the values of an instance in them, all of which were checked before.
struct PlanMaker {
    let topology: Topology
    private let instance: Instance
    private let substitution: Substitution

    init(_ instance: Instance, of topology: Topology) {
        self.topology = topology
        self.instance = instance
        substitution = instance.substitution(in: topology)
    }

    func resolved(_ value: NodeValue?) -> Substitution.Text? {
        value?.text.map { substitution.resolve(Template($0)) }
    }

    func text(_ value: NodeValue?) -> String? { resolved(value)?.example }

    func duration(_ value: NodeValue?) -> TimeSpan? { text(value).flatMap(GraphText.duration) }

    func bytes(_ value: NodeValue?) -> Int64? {
        text(value).flatMap(GraphText.integer).map { $0.multipliedSaturated(1 << 20) }
    }

    /// The gates that a sink reads directly.
    func gates(before sink: GraphNode) -> [GraphNode] {
        sink.inputs.compactMap(topology.node).filter { $0.type == .signalGate }
    }

    // MARK: Parts of the plan

    func source(_ node: GraphNode) throws(GraphError) -> RecordingPlan.Source {
        let endpoint = node.properties["endpoint"]
        let credentials = endpoint?["credentials"]
        guard let url = resolved(endpoint?["url"]) else {
            throw .invalidResource([
                GraphError.Detail(
                    .propertyRequired, at: node.path + ".Endpoint.Url", "The value is required: add url.")
            ])
        }
        let transport = text(node.properties["transport"])?.lowercased()
        return RecordingPlan.Source(
            nodeName: node.name, url: Secret(GraphText.trimmed(url.example)), isURLSecret: url.isSecret,
            transport: transport == "http" ? .http : .tcp, username: Secret(text(credentials?["username"]) ?? ""),
            password: Secret(text(credentials?["password"]) ?? ""))
    }

    func asset(_ node: GraphNode) -> RecordingPlan.AssetOutput {
        // API 1.0 asks for no name: then it is the camera's, as that of a camera in cvr.yaml is.
        let parts = resolved(node.properties["assetNamePattern"])?.parts ?? [.text(instance.name)]
        return RecordingPlan.AssetOutput(
            nodeName: node.name, pattern: NamePattern(parts),
            segmentLength: duration(node.properties["segmentLength"]) ?? .seconds(30),
            cacheBytes: bytes(node.properties["localMediaCacheMaximumSizeMiB"]))
    }

    func file(_ node: GraphNode) -> RecordingPlan.FileOutput? {
        if let parts = resolved(node.properties["filePathPattern"])?.parts {
            let (directory, name) = Self.split(parts)
            return RecordingPlan.FileOutput(
                nodeName: node.name, place: node.path + ".FilePathPattern",
                directory: GraphText.tidied(NamePattern(directory).resolve(at: .earliest)),
                pattern: Self.timed(NamePattern(name)), maximumBytes: nil)
        }
        guard let directory = text(node.properties["baseDirectoryPath"]),
            let parts = resolved(node.properties["fileNamePattern"])?.parts
        else { return nil }
        return RecordingPlan.FileOutput(
            nodeName: node.name, place: node.path + ".BaseDirectoryPath", directory: GraphText.tidied(directory),
            pattern: Self.timed(NamePattern(parts)), maximumBytes: bytes(node.properties["maximumSizeMiB"]))
    }

    /// A name without a time would be the same for every opening of the gate, and each file be lost to the next.
    private static func timed(_ pattern: NamePattern) -> NamePattern {
        pattern.hasTime ? pattern : pattern.adding(.text("-"), .dateTime)
    }

    /// Cuts a path before its last part; the times have no slash in them.
    static func split(_ parts: [NamePattern.Part]) -> (directory: [NamePattern.Part], name: [NamePattern.Part]) {
        for (position, part) in parts.enumerated().reversed() {
            guard case .text(let text) = part, let cut = GraphText.fileParts(of: text) else { continue }
            let name = cut.name.isEmpty ? [] : [NamePattern.Part.text(cut.name)]
            return (parts[..<position] + [.text(cut.directory)], name + parts[(position + 1)...])
        }
        return ([], parts)
    }

    /// Minimum and maximum may be absent since 2.0.1, which names no default: then they are those of LVA's samples,
    /// 30 s, and the longest that there is.
    func gate(_ node: GraphNode) -> RecordingPlan.GateSettings {
        let minimum = duration(node.properties["minimumActivationTime"])
        let maximum = duration(node.properties["maximumActivationTime"])
        return RecordingPlan.GateSettings(
            nodeName: node.name,
            evaluationWindow: duration(node.properties["activationEvaluationWindow"]) ?? .seconds(1),
            offset: duration(node.properties["activationSignalOffset"]) ?? .zero,
            minimum: minimum ?? min(.seconds(30), maximum ?? .seconds(30)), maximum: maximum ?? .seconds(3600))
    }

    func messageSources(of gate: GraphNode) -> [RecordingPlan.MessageSource] {
        gate.inputs.compactMap(topology.node).filter { $0.type == .messageSource }.map { node in
            RecordingPlan.MessageSource(nodeName: node.name, inputName: text(node.properties["hubInputName"]) ?? "")
        }
    }

    func messageSinks(behind gate: GraphNode) -> [RecordingPlan.MessageSink] {
        topology.nodes.filter { $0.type == .messageSink && $0.inputKeys.contains(gate.key) }.map { node in
            RecordingPlan.MessageSink(nodeName: node.name, outputName: text(node.properties["hubOutputName"]) ?? "")
        }
    }
}
