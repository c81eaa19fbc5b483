/// LVA's rules about how nodes hang together.
struct GraphRules {
    /// What could not be read of a graph, about which nothing can be said.
    struct Unread {
        /// Every node was read.
        var isWhole = true
        /// Names of the nodes that were not; nil when one of them has none.
        var names: Set<String>? = []
        /// Places of nodes whose inputs were not.
        var inputs: Set<String> = []

        mutating func loseNode(_ name: String?) {
            isWhole = false
            if let name { names?.insert(name.lowercased()) } else { names = nil }
        }
    }

    private let nodes: [GraphNode]
    private let version: APIVersion
    private let unread: Unread
    private var index: [String: Int] = [:]
    private(set) var mistakes: [GraphError.Detail] = []

    init(_ nodes: [GraphNode], in version: APIVersion, _ unread: Unread) {
        self.nodes = nodes
        self.version = version
        self.unread = unread
        names()
        counts()
        let before = mistakes.count
        let known = nodes.filter { !unread.inputs.contains($0.path) }
        for node in known { inputs(of: node) }
        // Where an input leads nowhere, nothing can be said about the whole.
        let isLinked = mistakes.count == before && unread.isWhole && known.count == nodes.count
        for node in known { neighbours(of: node) }
        guard isLinked, index.count == nodes.count else { return }
        cycles()
        partitions()
    }

    private mutating func names() {
        for (position, node) in nodes.enumerated() where !node.key.isEmpty {
            if index[node.key] == nil {
                index[node.key] = position
            } else {
                mistakes.append(
                    GraphError.Detail(
                        .nodeNameNotUnique, at: node.path + ".Name", "Another node has this name: rename one."))
            }
        }
    }

    private mutating func note(_ path: String, _ message: String) {
        mistakes.append(GraphError.Detail(.graphValidationError, at: path, message))
    }

    private func types(feeding node: GraphNode) -> [NodeType] {
        node.inputKeys.compactMap { index[$0] }.map { nodes[$0].type }
    }

    private mutating func counts() {
        if unread.isWhole, !nodes.contains(where: { $0.type == .rtspSource }) {
            note("$.Properties.Sources", "A topology needs one MediaGraphRtspSource: add it.")
        }
        let single: [NodeType] =
            version == .v1
            ? [.rtspSource, .httpExtension, .motionDetection, .assetSink, .fileSink] : [.rtspSource]
        for type in single {
            for extra in nodes.filter({ $0.type == type }).dropFirst() {
                note(extra.path, "A topology has at most one \(type.rawValue): leave this one out.")
            }
        }
    }

    private mutating func inputs(of node: GraphNode) {
        guard node.type.section != .sources else { return }
        if node.inputs.isEmpty { note(node.path + ".Inputs", "The node has no input: name the one that it reads.") }
        for (position, name) in node.inputKeys.enumerated() {
            let path = "\(node.path).Inputs[\(position)].NodeName"
            guard let source = index[name] else {
                guard unread.names?.contains(name) == false else { continue }
                note(path, "No node has this name: name a source or a processor of the topology.")
                continue
            }
            if nodes[source].type.section == .sinks {
                note(path, "A sink has no output: name a source or a processor.")
            }
        }
    }

    /// What must, and what must not, come directly before a node.
    private mutating func neighbours(of node: GraphNode) {
        let before = types(feeding: node)
        // A name that is no node's may be meant for any.
        guard !before.isEmpty, before.count == node.inputs.count, !before.contains(where: { $0.section == .sinks })
        else { return }
        let path = node.path + ".Inputs"
        switch node.type {
        case .motionDetection where before.contains { $0 != .rtspSource }:
            note(path, "Motion detection must come directly after the RTSP source: let it read that alone.")
        case .signalGate where !before.contains(.rtspSource):
            note(path, "A signal gate must come directly after the RTSP source: let it read that, too.")
        case .frameRateFilter where before.contains { $0 != .rtspSource && $0 != .motionDetection }:
            note(path, "A frame rate filter must come directly after the RTSP source or motion detection.")
        case .assetSink where before.contains { $0 != .rtspSource && $0 != .signalGate }:
            note(
                path,
                "An asset sink must come directly after the RTSP source or a signal gate: let it read one of them.")
        case .fileSink where before.contains { $0 != .signalGate }:
            note(path, "A file sink must come directly after a signal gate: let it read that alone.")
        case .messageSink where before.contains(.messageSource):
            note(path, "An IoT Hub message sink must not come directly after an IoT Hub message source.")
        default: break
        }
    }

    // MARK: The whole

    /// Takes away what reads nothing that is left, until nothing more goes: what stays is in a cycle or behind one.
    private mutating func cycles() {
        var waiting = nodes.map { Set($0.inputKeys).count }
        var readers: [String: [Int]] = [:]
        for (position, node) in nodes.enumerated() {
            for input in Set(node.inputKeys) { readers[input, default: []].append(position) }
        }
        var free = nodes.indices.filter { waiting[$0] == 0 }
        while let position = free.popLast() {
            for reader in readers[nodes[position].key] ?? [] {
                waiting[reader] -= 1
                if waiting[reader] == 0 { free.append(reader) }
            }
        }
        guard let first = nodes.indices.first(where: { waiting[$0] > 0 }) else { return }
        note(
            nodes[first].path + ".Inputs", "The graph has a cycle: a node reads, through others, what it makes itself.")
    }

    private mutating func partitions() {
        var neighbours: [Int: Set<Int>] = [:]
        for (position, node) in nodes.enumerated() {
            for other in node.inputKeys.compactMap({ index[$0] }) {
                neighbours[position, default: []].insert(other)
                neighbours[other, default: []].insert(position)
            }
        }
        guard let start = nodes.firstIndex(where: { $0.type == .rtspSource }) else { return }
        var reached: Set<Int> = [start]
        var open = [start]
        while let position = open.popLast() {
            for next in neighbours[position] ?? [] where reached.insert(next).inserted { open.append(next) }
        }
        for position in nodes.indices where !reached.contains(position) && nodes[position].type != .rtspSource {
            note(
                nodes[position].path,
                "The graph is in two parts: nothing connects this node to the RTSP source. Connect it or leave it out.")
        }
    }
}
