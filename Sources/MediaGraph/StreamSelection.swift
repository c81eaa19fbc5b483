/// Which streams of a camera pass the output selectors on their way to a sink.
struct StreamSelection: Hashable, Sendable {
    var takesAudio: Bool
    var takesVideo: Bool
    /// A selector asks for more than audio or video: for a codec.
    var isExact = true

    static let everything = StreamSelection(takesAudio: true, takesVideo: true)

    /// What reaches a sink from the RTSP source, directly and through gates; everything where there is no sink.
    static func of(_ sink: GraphNode?, _ maker: PlanMaker) -> StreamSelection {
        guard let sink else { return everything }
        let ways = inputs(of: sink).compactMap { input -> StreamSelection? in
            guard let node = maker.topology.node(input["nodeName"]?.text ?? "") else { return nil }
            let here = passing(input["outputSelectors"]?.elements ?? [], maker)
            guard node.type == .signalGate else { return here }
            let before = inputs(of: node).filter {
                maker.topology.node($0["nodeName"]?.text ?? "")?.type == .rtspSource
            }
            return here.and(union(before.map { passing($0["outputSelectors"]?.elements ?? [], maker) }))
        }
        return union(ways)
    }

    private static func inputs(of node: GraphNode) -> [NodeValue] { node.properties["inputs"]?.elements ?? [] }

    private static func union(_ ways: [StreamSelection]) -> StreamSelection {
        ways.reduce(StreamSelection(takesAudio: false, takesVideo: false)) { all, way in
            StreamSelection(
                takesAudio: all.takesAudio || way.takesAudio, takesVideo: all.takesVideo || way.takesVideo,
                isExact: all.isExact && way.isExact)
        }
    }

    private func and(_ other: StreamSelection) -> StreamSelection {
        StreamSelection(
            takesAudio: takesAudio && other.takesAudio, takesVideo: takesVideo && other.takesVideo,
            isExact: isExact && other.isExact)
    }

    /// One `is` is enough, for no stream is two types; every `isNot` counts.
    private static func passing(_ selectors: [NodeValue], _ maker: PlanMaker) -> StreamSelection {
        var wanted: Set<String> = []
        var unwanted: Set<String> = []
        var isExact = true
        for selector in selectors {
            let value = (maker.text(selector["value"]) ?? "").lowercased()
            let isWanted = (maker.text(selector["operator"]) ?? "is").lowercased() == "is"
            // What is no audio or video is never recorded, whatever its subtype.
            if !["audio", "video", "application"].contains(value) && !value.hasPrefix("application/") {
                isExact = false
            }
            if isWanted { wanted.insert(value) } else { unwanted.insert(value) }
        }
        func passes(_ type: String) -> Bool { (wanted.isEmpty || wanted.contains(type)) && !unwanted.contains(type) }
        return StreamSelection(takesAudio: passes("audio"), takesVideo: passes("video"), isExact: isExact)
    }
}
