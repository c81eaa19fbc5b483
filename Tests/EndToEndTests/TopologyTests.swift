import Foundation
import JSON
import Messages
import TestSupport
import Testing

/// What LVA's users bring, by name and spelling: each on a real camera into a real store.
@Suite("LVA's topologies", .showsEvidence, .timeLimit(.minutes(20)))
struct TopologyTests {
    @Test("of tiers 1 and 2 run in each of their spellings, with LVA's events in their order", arguments: Form.allCases)
    func samples(form: Form) async throws {
        let graphs = SampleGraph.all.filter { $0.forms.contains(form) && $0.refused(in: form).isEmpty }
        #expect(graphs.count == (form == .v2 ? 3 : 2))
        try await run(graphs.map { ($0.folder, $0.payload(form)) })
    }

    @Test("and those of etc/topologies do, too")
    func examples() async throws {
        let folder = Repository.path("etc/topologies")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.count == 5)
        try await run(
            names.map { name in
                let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                return (name.replacing(".json", with: ""), try JSONValue(parsing: text))
            })
    }

    @Test("and over HTTP, in two connections: one for what the camera sends, one for what it is asked")
    func tunnel() async throws {
        let graph = try #require(SampleGraph.all.first { $0.folder == "audio-video" })
        let text = graph.payload(.v2).text.replacing(#""transport":"Tcp""#, with: #""transport":"Http""#)
        try await run([("tunnel", try JSONValue(parsing: text))], connections: 2)
    }

    private func run(_ graphs: [(name: String, payload: JSONValue)], connections: Int = 1) async throws {
        try await Machine.shared.place(.half) {
            let clip = try await SourceClip("h264-aac")
            // No more than 32 characters, and no capitals: these are cameras, too.
            let names = graphs.map { $0.name.lowercased() }
            try await withCameras(
                names.map { .init($0, clip: clip.name) }, settings: { $0.cameras = [] }
            ) { box, rig in
                let media = "\(box.root)/media"
                try FileManager.default.createDirectory(atPath: media, withIntermediateDirectories: true)
                var settings = await box.settings
                settings.sections = ["graph: { filePaths: [\(media)] }"]
                try await box.configure(settings)
                try await box.start()
                let graph = GraphBox(box)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (name, payload) in zip(names, graphs.map(\.payload)) {
                        let url = try rig.url(name)
                        let one = try GraphRun(name, payload, url: url, media: media)
                        group.addTask { try await one.run(in: graph, url: url, of: clip) }
                    }
                    try await group.waitForAll()
                }
                for name in names { #expect(rig.count("connected", of: name) == connections, "\(name)") }
                #expect(try await box.status().cameras.isEmpty)
                #expect(try await box.stop() == .exited(0))
            }
        }
    }

    @Test("of the other kinds, 49 in all, are kept, and refused at Activate with the nodes that do not run")
    func refused() async throws {
        try await withBox(BoxSettings([])) { box in
            try await box.start()
            let graph = GraphBox(box)
            var count = 0
            for (sample, form) in SampleGraph.spellings where !sample.refused(in: form).isEmpty {
                count += 1
                #expect(try await graph.call("GraphTopologySet", sample.payload(form)).status == 201)
                #expect(try await graph.call("GraphInstanceSet", sample.instance(form, name: "Lab")).status == 201)
                let reply = try await graph.call("GraphInstanceActivate", named: "Lab")
                #expect(reply.status == 400)
                try checkRefusal(reply.payload, sample.refused(in: form), "\(sample) \(form)")
                #expect(try await graph.state(of: "Lab") == "Inactive")
                if count < 49 {
                    #expect(try await graph.call("GraphInstanceDelete", named: "Lab").status == 200)
                    #expect(try await graph.call("GraphTopologyDelete", named: sample.name).status == 200)
                }
            }
            #expect(count == 49)
            let done = try await box.run(["graph", "instance", "activate", "Lab"])
            #expect(done.ending == .exited(1) && done.errors.contains("ModuleValidationError"), "\(done)")
            #expect(try await graph.told(of: "Lab").isEmpty && box.processes().allSatisfy { $0.camera == nil })
        }
    }

    private func checkRefusal(_ payload: JSONValue, _ nodes: Set<String>, _ what: String) throws {
        guard case .array(let details) = payload["error"]?["details"] else {
            throw Missed("\(what): \(payload.text)")
        }
        #expect(details.count == nodes.count, "\(what): \(payload.text)")
        for node in nodes {
            let isNamed = details.contains { detail in
                guard case .string(let words) = detail["message"] else { return false }
                return detail["code"] == "ModuleValidationError" && words.contains(node)
            }
            #expect(isNamed, "\(what): \(node) in \(payload.text)")
        }
    }
}
