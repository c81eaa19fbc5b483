import Recording

/// What in a valid graph this engine does not do; each says which node, why, and what to do.
struct PlanRefusals {
    private let maker: PlanMaker
    private(set) var found: [GraphError.Detail] = []

    private var nodes: [GraphNode] { maker.topology.nodes }

    init(_ maker: PlanMaker) {
        self.maker = maker
        for node in nodes { check(node) }
        wiring()
    }

    private mutating func refuse(_ node: GraphNode, _ part: String = "", _ reason: String) {
        found.append(
            GraphError.Detail(
                .moduleValidationError, at: node.path + part,
                "The node \(node.name.prefix(64)) (\(node.type.rawValue)) \(reason)")
        )
    }

    private mutating func check(_ node: GraphNode) {
        switch node.type {
        case .rtspSource: source(node)
        case .motionDetection:
            refuse(
                node, "",
                "cannot run: this box does not detect motion. Leave it out, or open the gate by messages through a "
                    + "MediaGraphIoTHubMessageSource.")
        case .frameRateFilter:
            refuse(node, "", "cannot run: this box does not decode video. Leave it out; recordings keep every frame.")
        case .httpExtension, .grpcExtension, .visionExtension:
            refuse(
                node, "",
                "cannot run: this box calls no inference. Leave it out, and send its results to a "
                    + "MediaGraphIoTHubMessageSource.")
        case .signalGate: gate(node)
        case .messageSource where (maker.text(node.properties["hubInputName"]) ?? "").isEmpty:
            refuse(node, ".HubInputName", "has no hubInputName, so no message would reach it: give it one.")
        case .assetSink: asset(node)
        case .fileSink: file(node)
        case .messageSource, .messageSink: break
        }
    }

    private mutating func source(_ node: GraphNode) {
        let endpoint = node.properties["endpoint"]
        let isTLS = endpoint?["@type"]?.text == NodeShapes.prefix + "MediaGraphTlsEndpoint"
        if isTLS {
            refuse(
                node, ".Endpoint",
                "asks for TLS, and this box's engine does not verify cameras' certificates yet: use a "
                    + "MediaGraphUnsecuredEndpoint with an rtsp URL on a network of your own.")
        }
        if endpoint?["trustedCertificates"] != nil {
            refuse(node, ".Endpoint.TrustedCertificates", "names certificates to trust, which cannot be honoured yet.")
        }
        if endpoint?["validationOptions"] != nil {
            refuse(node, ".Endpoint.ValidationOptions", "says how to verify TLS, which cannot be honoured yet.")
        }
        if endpoint?["credentials"]?["@type"]?.text == NodeShapes.prefix + "MediaGraphHttpHeaderCredentials" {
            refuse(
                node, ".Endpoint.Credentials",
                "has an HTTP header as credentials, which RTSP cameras are not sent: use "
                    + "MediaGraphUsernamePasswordCredentials.")
        }
        address(node)
    }

    /// What the recorder takes of what LVA takes.
    private mutating func address(_ node: GraphNode) {
        let endpoint = node.properties["endpoint"]
        if let url = maker.text(endpoint?["url"]), !GraphText.isCameraURL(GraphText.trimmed(url)) {
            refuse(
                node, ".Endpoint.Url",
                "has a URL with letters beyond ASCII, with @ before its path, or of \(CameraURL.limit) bytes and more: "
                    + "percent-encode them, or take a shorter one.")
        }
        let credentials = endpoint?["credentials"]
        guard let username = maker.text(credentials?["username"]), !username.isEmpty else { return }
        let password = maker.text(credentials?["password"]) ?? ""
        let length = PercentEncoding.length(of: username) + 1 + PercentEncoding.length(of: password)
        guard length > CameraURL.longestUserinfo else { return }
        refuse(
            node, ".Endpoint.Credentials",
            "has a user name and a password of more than \(CameraURL.longestUserinfo - 1) bytes in all, percent-encoded: "
                + "set shorter ones in the camera.")
    }

    private mutating func gate(_ node: GraphNode) {
        let before = node.inputs.compactMap(maker.topology.node)
        if before.contains(where: { $0.type == .signalGate }) {
            refuse(node, ".Inputs", "reads another signal gate: let it read the RTSP source and message sources.")
        } else if before.allSatisfy({ $0.type == .rtspSource }) {
            refuse(
                node, ".Inputs",
                "reads nothing that opens it, so nothing would be recorded: let it read a "
                    + "MediaGraphIoTHubMessageSource."
            )
        }
    }

    private mutating func asset(_ node: GraphNode) {
        guard !GraphText.isStorable(maker.asset(node).pattern.resolve(at: .latest)) else { return }
        refuse(
            node, ".AssetNamePattern",
            "gives a name that not every store can hold: use letters of the English alphabet, digits, - and _, at most "
                + "128 in all.")
    }

    private mutating func file(_ node: GraphNode) {
        if let name = maker.file(node)?.pattern.resolve(at: .latest), !GraphText.isFileName(name, isWhole: true) {
            refuse(
                node, "",
                "gives files names of more than \(SinkFileName.longest) bytes with their time: shorten the pattern.")
        }
        guard let parts = maker.resolved(node.properties["filePathPattern"])?.parts,
            NamePattern(PlanMaker.split(parts).directory).hasTime
        else { return }
        refuse(
            node, ".FilePathPattern",
            "has a time in the name of its directory: move it behind the last /, into the name of the file.")
    }

    // MARK: The whole

    private mutating func wiring() {
        let sinks = nodes.filter { $0.type == .assetSink || $0.type == .fileSink }
        for type in [NodeType.assetSink, .fileSink] {
            for extra in sinks.filter({ $0.type == type }).dropFirst() {
                refuse(extra, "", "is a second one of its type: leave it out, or make an instance of its own for it.")
            }
        }
        for sink in sinks where Set(sink.inputKeys).count > 1 {
            refuse(sink, ".Inputs", "reads two nodes: let it read the RTSP source, or one signal gate.")
        }
        let ways = sinks.map { Set($0.inputKeys) }
        for (sink, way) in zip(sinks, ways).dropFirst() where way != ways.first {
            refuse(sink, ".Inputs", "reads another node than the sink before it: let both read the same.")
        }
        selections(of: sinks)
        guard sinks.isEmpty, found.isEmpty, let first = nodes.first(where: { $0.type == .rtspSource }) else { return }
        refuse(first, "", "leads to no asset sink or file sink, so nothing would be recorded: add one.")
    }

    private mutating func selections(of sinks: [GraphNode]) {
        let selections = sinks.map { StreamSelection.of($0, maker) }
        for (sink, selection) in zip(sinks, selections) {
            if !selection.isExact {
                refuse(sink, ".Inputs", "selects by codec, and this box by audio and video alone: select one of those.")
            } else if !selection.takesAudio && !selection.takesVideo {
                refuse(sink, ".Inputs", "selects neither audio nor video: change its outputSelectors.")
            } else if selection != selections.first {
                refuse(sink, ".Inputs", "selects other streams than the sink before it: let both select the same.")
            }
        }
    }
}
