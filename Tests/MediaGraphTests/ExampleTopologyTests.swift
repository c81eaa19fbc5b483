import Foundation
import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// The topologies of etc/topologies: each can be set, and an instance of it can be activated.
@Suite("Example topologies")
struct ExampleTopologyTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../etc/topologies")

    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test("there is one for each way to record")
    func complete() throws {
        #expect(
            try Self.names() == [
                "audio-and-video.json", "continuous-to-asset.json", "events-to-asset-and-files.json",
                "events-to-asset.json", "events-to-files.json",
            ])
    }

    @Test("the instance that cvr-lva(7) shows runs")
    func manual() throws {
        let page = try String(contentsOf: Self.folder.appending(path: "../man/cvr-lva.7"), encoding: .utf8)
        let shown = try #require(page.firstMatch(of: /(?s)\n\.nf\n(.*?)\n\.fi\n/)).output.1.replacing("\\-", with: "-")
        let file = Self.folder.appending(path: "continuous-to-asset.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        guard case .object(var payload) = BookBench.json(String(shown)) else {
            Issue.record("no object")
            return
        }
        payload["@apiVersion"] = .string("2.0")  // as cvrctl adds it
        var bench = BookBench()
        #expect(bench.call("GraphTopologySet", text) == "201")
        #expect(bench.call("GraphInstanceSet", .object(payload)) == "201", "\(bench.reply?.text ?? "")")
        #expect(bench.call("GraphInstanceActivate", named: "Front") == "activate new")
    }

    @Test("is valid as it is, and runs", arguments: try names())
    func runs(file: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
        let topology = try Topology(BookBench.json(text), at: WallTime(seconds: 0))
        #expect("\(topology.name).json" == file && topology.description?.isEmpty == false)
        #expect(topology.parameters.allSatisfy { $0.description?.isEmpty == false })
        let payload = BookBench.json(
            #"""
            {"@apiVersion":"2.0","name":"Front","properties":{"topologyName":"\#(topology.name)","parameters":[
              {"name":"rtspUrl","value":"rtsp://10.0.0.21/stream1"},{"name":"rtspUserName","value":"admin"},
              {"name":"rtspPassword","value":"s3cret"}]}}
            """#)
        let instance = try Instance(payload, topology: { _ in topology }, at: WallTime(seconds: 0))
        let plan = try RecordingPlan.make(instance, of: topology)
        #expect(plan.refusals.isEmpty, "\(plan.refusals)")
        #expect((plan.asset != nil) == (file.contains("asset") || file == "audio-and-video.json"))
        #expect((plan.file != nil) == file.contains("files"))
        #expect((plan.gate != nil) == file.hasPrefix("events"))
        #expect(plan.takesVideo && plan.takesAudio == (file != "continuous-to-asset.json"))
        #expect(!instance.json(.hidden).text.contains("s3cret"))
    }
}
