import Foundation
import JSON
import MediaGraph
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// As many graphs as a box takes.
@Suite("Media graph: a full box", .timeLimit(.minutes(1)))
struct GraphScaleTests {
    @Test("1000 instances of 50 topologies are there after a start, and are listed and got within 10 ms each")
    func full() async throws {
        let box = try TemporaryBox()
        try box.script("cvr-sync", ScriptedSync.program)
        try box.configure("{}")
        try fill(box)
        try await withSession(box) { session in
            let began = ContinuousClock.now
            let all = try await session.call("GraphInstanceList", #"{"@apiVersion":"2.0"}"#)
            print("media graphs: read and listed \((ContinuousClock.now - began).milliseconds) ms after the start")
            guard case .array(let instances) = all.payload["value"] else { throw Session.Unexpected() }
            #expect(instances.count == GraphLimits.instances)
            let list = try await Self.median { try await session.call("GraphInstanceList", #"{"@apiVersion":"2.0"}"#) }
            let get = try await Self.median { try await session.call("GraphInstanceGet", Graphs.named("I999")) }
            let topologies = try await Self.median {
                try await session.call("GraphTopologyList", #"{"@apiVersion":"2.0"}"#)
            }
            print("media graphs: list \(list) ms, get \(get) ms, topologies \(topologies) ms")
            #expect(list <= 10 && get <= 10 && topologies <= 10)
            let more = try await session.call("GraphInstanceSet", Graphs.instance("more", of: "T0", url: "rtsp://h/x"))
            #expect(more.status == 409)
        }
    }

    /// Files as cvrd writes them, without waiting for the disk.
    private func fill(_ box: TemporaryBox) throws {
        let now = WallTime(seconds: 1_800_000_000)
        for kind in ["topologies", "instances"] {
            try FileManager.default.createDirectory(
                atPath: "\(box.root)/state/graph/\(kind)", withIntermediateDirectories: true)
        }
        var topologies: [String: Topology] = [:]
        for index in 0..<GraphLimits.topologies {
            let topology = try Topology(try Graphs.json(Graphs.continuous("T\(index)").withoutSecrets), at: now)
            topologies[topology.name] = topology
            try topology.json(.hidden).text
                .write(toFile: "\(box.root)/state/graph/topologies/t\(index).json", atomically: false, encoding: .utf8)
        }
        for index in 0..<GraphLimits.instances {
            let text = Graphs.instance("I\(index)", of: "T\(index % 50)", url: "rtsp://10.0.0.\(index % 250)/stream")
            let instance = try Instance(try Graphs.json(text), topology: { topologies[$0] }, at: now)
            try instance.json(.hidden).text
                .write(toFile: "\(box.root)/state/graph/instances/i\(index).json", atomically: false, encoding: .utf8)
        }
    }

    /// Milliseconds, of the answer with its text.
    private static func median(
        isolation: isolated (any Actor)? = #isolation, _ ask: () async throws -> MethodReply
    ) async throws -> Double {
        var times: [Double] = []
        for _ in 0..<21 {
            let began = ContinuousClock.now
            _ = Data(try await ask().wholeText.utf8)
            times.append((ContinuousClock.now - began).milliseconds)
        }
        return times.sorted()[times.count / 2]
    }
}

extension String {
    /// A topology whose password is no secret: no key is needed for it.
    fileprivate var withoutSecrets: String { replacing("SecretString", with: "String") }
}

extension Duration {
    fileprivate var milliseconds: Double { seconds * 1000 }
}
