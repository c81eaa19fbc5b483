import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// Every event of LVA's list: type, subject and body, as its users' routes and programs expect them.
@Suite("Media graph events")
struct MediaGraphEventTests {
    static let time = WallTime(rfc3339: "2020-05-12T23:33:09.381Z") ?? .earliest
    static let source = MediaGraphEvent.Origin.source("rtspSource", of: "Sample-Graph-1")
    static let sink = MediaGraphEvent.Origin.sink("assetSink", of: "Sample-Graph-1")

    static let table: [(MediaGraphEvent, type: String, subject: String, body: String)] = [
        (
            .recordingStarted(sink, .asset("sampleAsset")), "Graph.Operational.RecordingStarted", "/sinks/assetSink",
            #"{"outputLocation":"sampleAsset","outputType":"assetName"}"#
        ),
        (
            .recordingAvailable(sink, .file("/var/media/a.mp4")), "Graph.Operational.RecordingAvailable",
            "/sinks/assetSink", #"{"outputLocation":"/var/media/a.mp4","outputType":"filePath"}"#
        ),
        (
            .recordingStopped(sink, .asset("sampleAsset")), "Graph.Operational.RecordingStopped", "/sinks/assetSink",
            #"{"outputLocation":"sampleAsset","outputType":"assetName"}"#
        ),
        (
            .mediaSessionEstablished(source, sdp: "v=0\r\n"), "Graph.Diagnostics.MediaSessionEstablished",
            "/sources/rtspSource", #"{"sdp":"SDP:\nv=0\r\n"}"#
        ),
        (
            .protocolError(source, code: "404", target: "rtsp://h/"), "Graph.Diagnostics.ProtocolError",
            "/sources/rtspSource", #"{"code":"404","errorCode":"404","protocol":"rtsp","target":"rtsp://h/"}"#
        ),
        (
            .networkError(source, code: "timeout"), "Graph.Diagnostics.NetworkError", "/sources/rtspSource",
            #"{"errorCode":"timeout"}"#
        ),
        (
            .authenticationError(source, code: "401"), "Graph.Diagnostics.AuthenticationError", "/sources/rtspSource",
            #"{"errorCode":"401"}"#
        ),
        (
            .authorizationError(source, code: "403"), "Graph.Diagnostics.AuthorizationError", "/sources/rtspSource",
            #"{"errorCode":"403"}"#
        ),
        (
            .mediaFormatError(source, code: "unsupportedAudioFormat", at: time), "Graph.Diagnostics.MediaFormatError",
            "/sources/rtspSource", #"{"code":"unsupportedAudioFormat","timestamp":1589326389381}"#
        ),
        (.dataDropped(sink), "Graph.Diagnostics.DataDropped", "/sinks/assetSink", #"{"dataType":"media"}"#),
        (
            .storageError(sink, storageAccountName: "plant"), "Graph.Diagnostics.StorageError", "/sinks/assetSink",
            #"{"storageAccountName":"plant"}"#
        ),
        (
            .inference(
                .source("hub", of: "Sample-Graph-1"), body: .object(["inferences": .array([])]), at: time,
                output: "inferenceOutput"),
            "Graph.Analytics.Inference", "/sources/hub", #"{"inferences":[],"timestamp":143039375044290}"#
        ),
    ]

    @Test("have LVA's types, subjects and bodies", arguments: table.indices)
    func each(row: Int) {
        let (event, type, subject, body) = Self.table[row]
        #expect(event.type == "Microsoft.Media.\(type)")
        #expect(event.subject == "/graphInstances/Sample-Graph-1\(subject)")
        #expect(event.body.text == body)
        #expect((event.output != nil) == type.contains("Analytics"))
    }

    @Test("one is the box's own")
    func box() {
        let event = MediaGraphEvent.runtimeError(code: "x")
        #expect(event.type == "Microsoft.Media.Edge.Diagnostics.RuntimeError" && event.body.text == #"{"code":"x"}"#)
    }

    @Test("a message keeps its own time, and what is no object is handed on")
    func messages() {
        let origin = MediaGraphEvent.Origin.source("hub", of: "a")
        for body: JSONValue in [.object(["timestamp": .integer(1)]), .string("motion"), .null] {
            #expect(MediaGraphEvent.inference(origin, body: body, at: Self.time, output: "o").body == body)
        }
    }
}
