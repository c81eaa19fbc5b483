import Foundation
import JSON
import MediaGraph
import Recording
import Supervision
import Testing
import YAMLConfiguration

/// Media graphs on disk, and what of it may be read there.
@Suite("Media graph: on disk", .timeLimit(.minutes(1)))
struct GraphFilesTests {
    private let canary = "canary-\(UUID())"

    @Test("a secret opens with its own key, in its own file, and is nowhere to be read")
    func seal() throws {
        let seal = try GraphSeal(key: GraphSeal.makeKey())
        let text = try seal.seal(Secret(canary), for: "instances/a")
        let again = try seal.seal(Secret(canary), for: "instances/a")
        #expect(!text.contains(canary) && text != again)
        #expect(try seal.open(text, for: "instances/a") == Secret(canary))
        #expect(throws: (any Error).self) { try seal.open(text, for: "instances/b") }
        #expect(throws: (any Error).self) {
            try GraphSeal(key: GraphSeal.makeKey()).open(text, for: "instances/a")
        }
        for broken in [String(text.dropLast(4)), "", "AAAA", "?"] {
            #expect(throws: (any Error).self) { try seal.open(broken, for: "instances/a") }
        }
        #expect(throws: Refusal.self) { try GraphSeal(key: Secret("short")) }
    }

    @Test("what was written is read again, sealed in between; the key is made at first use, for us alone")
    func again() throws {
        let (box, files) = try self.files()
        let (topology, instance) = try Graphs.pair(password: canary)
        try files.write(topology)
        try files.write(instance)
        let contents = try files.load()
        #expect(contents.topologies == [topology] && contents.instances == [instance] && contents.refused.isEmpty)
        #expect(try traces(of: canary, below: box.root).isEmpty)
        let key = "\(box.root)/state/credentials/graph-key"
        let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try files.remove(topology: topology.name)
        try files.remove(instance: instance.name)
        let rest = try files.load()
        #expect(rest.topologies.isEmpty && rest.instances.isEmpty)
    }

    @Test("what is damaged is set aside and named, what does not open is left as it is; the rest is read")
    func damaged() throws {
        let (box, files) = try self.files()
        let (topology, instance) = try Graphs.pair(password: canary)
        try files.write(topology)
        try files.write(instance)
        let folder = "\(box.root)/state/graph/instances"
        // Another instance's secrets, and half a file.
        try FileManager.default.copyItem(atPath: "\(folder)/front.json", toPath: "\(folder)/yard.json")
        try SmallFileFixture.write("{\"name\": \"gate\"", "\(folder)/gate.json")
        let contents = try files.load()
        #expect(contents.instances == [instance] && contents.topologies == [topology])
        #expect(contents.refused.count == 1 && contents.refused.allSatisfy { $0.contains("set aside") })
        #expect(contents.unread.keys.sorted() == ["instances/yard"])
        #expect(try files.load().refused.isEmpty, "told once")
        #expect(try Directory.names(folder) == ["front.json", "gate.json.refused", "yard.json"])
    }

    @Test("without the key nothing secret opens, the files stay as they are, and are read when it is back")
    func lostKey() throws {
        let (box, files) = try self.files()
        let (topology, instance) = try Graphs.pair(password: canary)
        try files.write(topology)
        try files.write(instance)
        let key = "\(box.root)/state/credentials/graph-key"
        try FileManager.default.moveItem(atPath: key, toPath: key + ".away")
        let contents = try next(box).load()
        #expect(contents.topologies.isEmpty && contents.instances.isEmpty && contents.refused.isEmpty)
        #expect(Set(contents.unread.keys) == ["topologies/cvrtoamsasset", "instances/front"])
        #expect(contents.unread.values.allSatisfy { $0.contains("graph-key") && $0.contains("cvrctl reload") })
        #expect(try Directory.names("\(box.root)/state/graph/instances") == ["front.json"])
        // Nor is another one made, with which they would never open.
        let waiting = try next(box, takesNewKey: false)
        #expect(throws: (any Error).self) { try waiting.write(instance) }
        try FileManager.default.moveItem(atPath: key + ".away", toPath: key)
        let again = try next(box).load(only: ["instances/front"])
        #expect(again.topologies.isEmpty && again.instances == [instance] && again.unread.isEmpty)
    }

    @Test("a key that opens nothing damages no file and seals none; its own opens them again")
    func wrongKey() throws {
        let (box, files) = try self.files()
        let (topology, instance) = try Graphs.pair(password: canary)
        try files.write(topology)
        try files.write(instance)
        let key = "\(box.root)/state/credentials/graph-key"
        try FileManager.default.moveItem(atPath: key, toPath: key + ".away")
        try SmallFileFixture.write(GraphSeal.makeKey().revealed(), key)
        let contents = try next(box).load()
        #expect(contents.refused.isEmpty && contents.topologies.isEmpty && contents.instances.isEmpty)
        #expect(Set(contents.unread.keys) == ["topologies/cvrtoamsasset", "instances/front"])
        #expect(contents.unread.values.allSatisfy { $0.contains("graph-key") && $0.contains("cvrctl reload") })
        #expect(throws: Refusal.self) { try next(box, takesNewKey: false).write(instance) }
        // Whoever knows the right one seals nothing beside another one, and puts its own back.
        #expect(throws: Refusal.self) { try files.write(instance) }
        #expect(try files.load().instances == [instance])
        try FileManager.default.removeItem(atPath: key)
        try files.write(instance)
        #expect(
            try String(contentsOfFile: key, encoding: .utf8) == String(contentsOfFile: key + ".away", encoding: .utf8))
        #expect(try next(box).load().instances == [instance])
    }

    @Test("a file that cannot be read now stays as it is")
    func unreadable() throws {
        let (box, files) = try self.files()
        let (topology, instance) = try Graphs.pair(password: canary)
        try files.write(topology)
        try files.write(instance)
        // No file at all, which root cannot read either.
        let path = "\(box.root)/state/graph/instances/yard.json"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let contents = try files.load()
        #expect(contents.instances == [instance] && contents.refused.isEmpty)
        #expect(contents.unread.keys.sorted() == ["instances/yard"])
        #expect(contents.unread["instances/yard"]?.contains("cvrctl reload") == true)
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("a key that systemd passes comes first")
    func systemd() throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        let folder = "\(box.root)/systemd"
        try SmallFileFixture.write(GraphSeal.makeKey().revealed(), "\(folder)/graph-key")
        let files = GraphFiles(
            places: try box.places(),
            credentials: CredentialFile(
                systemDirectory: folder, stateDirectory: "\(box.root)/state/credentials"))
        let (_, instance) = try Graphs.pair(password: canary)
        try files.write(instance)
        #expect(!FileManager.default.fileExists(atPath: "\(box.root)/state/credentials/graph-key"))
        #expect(try files.load().instances == [instance])
    }

    private func files() throws -> (TemporaryBox, GraphFiles) {
        let box = try TemporaryBox()
        try box.configure("{}")
        return (box, try next(box))
    }

    /// Those of a cvrd that knows nothing of the key yet.
    private func next(_ box: TemporaryBox, takesNewKey: Bool = true) throws -> GraphFiles {
        let places = try box.places()
        return GraphFiles(
            places: places, credentials: CredentialFile(systemDirectory: nil, stateDirectory: places.credentials),
            takesNewKey: takesNewKey)
    }

    private func traces(of word: String, below folder: String) throws -> [String] {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            // A folder or a socket has no text.
            guard let text = try? Data(contentsOf: URL(filePath: "\(folder)/\(name)")) else { return false }
            return text.range(of: Data(word.utf8)) != nil
        }
    }

    private enum Directory {
        static func names(_ path: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        }
    }
}

/// Graphs that tests set, written after LVA's node graphs.
enum Graphs {
    static func json(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    private static let source = """
        {"@type":"#Microsoft.Media.MediaGraphRtspSource","name":"rtspSource","endpoint":{
        "@type":"#Microsoft.Media.MediaGraphUnsecuredEndpoint","url":"${rtspUrl}","credentials":{
        "@type":"#Microsoft.Media.MediaGraphUsernamePasswordCredentials",
        "username":"${rtspUserName}","password":"${rtspPassword}"}}}
        """

    private static let parameters = """
        {"name":"rtspUrl","type":"String"},
        {"name":"rtspUserName","type":"String","default":"dummyUserName"},
        {"name":"rtspPassword","type":"SecretString","default":"dummyPassword"}
        """

    private static func topology(
        _ name: String, parameters more: String = "", sources: String = "", processors: String = "", sinks: String
    ) -> String {
        """
        {"@apiVersion":"2.0","name":"\(name)","properties":{"description":"of a test",
        "parameters":[\(parameters)\(more)],"sources":[\(source)\(sources)],"processors":[\(processors)],
        "sinks":[\(sinks)]}}
        """
    }

    /// R -> A.
    static func continuous(
        _ name: String = "CVRToAMSAsset",
        asset: String = "asset-${System.GraphTopologyName}-${System.GraphInstanceName}"
    ) -> String {
        topology(
            name,
            sinks: """
                {"@type":"#Microsoft.Media.MediaGraphAssetSink","name":"assetSink",
                "inputs":[{"nodeName":"rtspSource"}],"assetNamePattern":"\(asset)","segmentLength":"PT30S",
                "localMediaCachePath":"/var/lib/azuremediaservices/tmp/","localMediaCacheMaximumSizeMiB":"64"}
                """)
    }

    /// R + H -> G -> A, L, S.
    static func gated(
        _ name: String = "EVR", directory: String, evaluation: String = "PT0S", offset: String = "-PT5S",
        minimum: String = "PT5S", maximum: String = "PT10S"
    ) -> String {
        topology(
            name, parameters: #",{"name":"hubInput","type":"String","default":"recordingTrigger"}"#,
            sources: """
                ,{"@type":"#Microsoft.Media.MediaGraphIoTHubMessageSource","name":"hub","hubInputName":"${hubInput}"}
                """,
            processors: """
                {"@type":"#Microsoft.Media.MediaGraphSignalGateProcessor","name":"gate",
                "inputs":[{"nodeName":"hub"},{"nodeName":"rtspSource"}],"activationEvaluationWindow":"\(evaluation)",
                "activationSignalOffset":"\(offset)","minimumActivationTime":"\(minimum)",
                "maximumActivationTime":"\(maximum)"}
                """,
            sinks: """
                {"@type":"#Microsoft.Media.MediaGraphFileSink","name":"fileSink","inputs":[{"nodeName":"gate"}],
                "baseDirectoryPath":"\(directory)","fileNamePattern":"clip-${System.DateTime}","maximumSizeMiB":"64"},
                {"@type":"#Microsoft.Media.MediaGraphAssetSink","name":"assetSink","inputs":[{"nodeName":"gate"}],
                "assetNamePattern":"evr-${System.DateTime}","localMediaCachePath":"/var/lib/azuremediaservices/tmp/",
                "localMediaCacheMaximumSizeMiB":"64"},
                {"@type":"#Microsoft.Media.MediaGraphIoTHubMessageSink","name":"hubSink",
                "inputs":[{"nodeName":"gate"}],"hubOutputName":"out"}
                """)
    }

    static func instance(
        _ name: String, of topology: String = "CVRToAMSAsset", url: String, password: String? = nil
    ) -> String {
        let secret = password.map { #",{"name":"rtspPassword","value":"\#($0)"}"# } ?? ""
        return """
            {"@apiVersion":"2.0","name":"\(name)","properties":{"topologyName":"\(topology)","description":"",
            "parameters":[{"name":"rtspUrl","value":"\(url)"}\(secret)]}}
            """
    }

    static func named(_ name: String) -> String { #"{"@apiVersion":"2.0","name":"\#(name)"}"# }

    static func pair(password: String) throws -> (Topology, Instance) {
        let now = WallTime(seconds: 1_800_000_000)
        let topology = try Topology(try json(continuous()), at: now)
        let payload = try json(instance("Front", url: "rtsp://127.0.0.1/x", password: password))
        return (topology, try Instance(payload, topology: { _ in topology }, at: now))
    }
}
