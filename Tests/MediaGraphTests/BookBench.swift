import Foundation
import JSON
import MediaGraph
import Recording

/// A book, and what it said, for reading: `201`, `409 OperationNotAllowedInState`, `activate new`.
struct BookBench {
    var book = GraphBook()
    var now = WallTime(seconds: 1_764_000_000)
    /// Camera names that somebody else has.
    var taken: [String: String] = [:]
    /// Assets that somebody else has.
    var takenAssets: [String: String] = [:]
    var changes: [GraphBook.Change] = []
    var reply: MethodReply?

    static func json(_ text: String) -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        } catch {
            fatalError("the test's own JSON is none: \(text)")
        }
    }

    mutating func call(_ method: String, _ payload: JSONValue?) -> String {
        let (taken, takenAssets) = (taken, takenAssets)
        now = now + .seconds(1)
        let outcome = book.perform(
            method, payload, at: now, taken: { taken[$0] }, takenAsset: { takenAssets[$0] })
        (reply, changes) = (nil, [])
        switch outcome {
        case .reply(let answer, let changed):
            (reply, changes) = (answer, changed)
            return Self.words(answer)
        case .activate(_, _, let isNew): return "activate \(isNew ? "new" : "joined")"
        case .deactivate(_, let isNew): return "deactivate \(isNew ? "new" : "joined")"
        case .camera(let name, let starts): return "camera \(name) \(starts ? "start" : "stop")"
        }
    }

    mutating func call(_ method: String, _ payload: String) -> String { call(method, Self.json(payload)) }

    /// Of a method that takes a name.
    mutating func call(_ method: String, named name: String) -> String {
        call(method, .object(["@apiVersion": .string("2.0"), "name": .string(name)]))
    }

    /// Status, and code of the first detail, else of the error.
    static func words(_ reply: MethodReply) -> String {
        guard let error = reply.payload["error"] else { return "\(reply.status)" }
        var code = error["code"]
        if case .array(let details)? = error["details"] { code = details.first?["code"] ?? code }
        guard case .string(let word)? = code else { return "\(reply.status) without a code" }
        return "\(reply.status) \(word)"
    }

    /// Names in the order of a list.
    mutating func names(_ method: String) -> [String] {
        _ = call(method, #"{"@apiVersion":"1.0"}"#)
        guard case .array(let elements)? = reply?.payload["value"] else { return ["no list"] }
        return elements.map { element in if case .string(let name)? = element["name"] { name } else { "nameless" } }
    }

    /// A camera into its asset; `parameters` are declared besides `rtspUrl`.
    static func topology(_ name: String, parameters: String = "") -> String {
        #"""
        {"@apiVersion":"2.0","name":"\#(name)","properties":{
          "parameters":[{"name":"rtspUrl","type":"String"}\#(parameters.isEmpty ? "" : ",")\#(parameters)],
          "sources":[{"@type":"#Microsoft.Media.MediaGraphRtspSource","name":"camera","endpoint":{
            "@type":"#Microsoft.Media.MediaGraphUnsecuredEndpoint","url":"${rtspUrl}"}}],
          "sinks":[{"@type":"#Microsoft.Media.MediaGraphAssetSink","name":"asset","inputs":[{"nodeName":"camera"}],
            "assetNamePattern":"${System.GraphInstanceName}","localMediaCachePath":"/var/lib/cvr/cache",
            "localMediaCacheMaximumSizeMiB":"2048"}]}}
        """#
    }

    static func instance(_ name: String, of topology: String, parameters: String = "") -> String {
        #"""
        {"@apiVersion":"2.0","name":"\#(name)","properties":{"topologyName":"\#(topology)","parameters":[
          {"name":"rtspUrl","value":"rtsp://10.0.0.21/"}\#(parameters.isEmpty ? "" : ",")\#(parameters)]}}
        """#
    }

    /// As cvrd shows a camera of cvr.yaml.
    mutating func show(camera name: String, _ state: InstanceState) {
        let instance = CameraName(name).flatMap {
            Instance.camera(
                $0, url: "rtsp://10.0.0.21/", username: "admin", segmentLength: .seconds(2), cacheBytes: 5 << 30,
                state: state, since: now)
        }
        book.show(cameras: [instance].compactMap(\.self))
    }

    /// An instance in that state, of a topology that stays.
    mutating func bring(_ name: String, of topology: String, to state: InstanceState) {
        _ = call("GraphTopologySet", Self.topology(topology))
        _ = call("GraphInstanceSet", Self.instance(name, of: topology))
        guard state != .inactive else { return }
        _ = call("GraphInstanceActivate", named: name)
        guard state != .activating else { return }
        _ = book.activated(name, nil)
        if state == .deactivating { _ = call("GraphInstanceDeactivate", named: name) }
    }
}
