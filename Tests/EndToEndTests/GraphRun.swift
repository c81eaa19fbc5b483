import Foundation
import JSON
import Messages
import Recording
import TestSupport
import Testing

/// One topology on a camera of its own: set, instance set, activated, recorded, deactivated and deleted.
struct GraphRun: Sendable {
    /// Also the camera's.
    let instance: String
    let name: String
    private let payload: JSONValue

    /// `payload` is that of GraphTopologySet, but for the address and the folder of whoever wrote it.
    init(_ instance: String, _ payload: JSONValue, url: String, media: String) throws {
        let text = payload.text.replacing("rtsp://rtspsim:554/media/camera-300s.mkv", with: url)
            .replacing("/var/media", with: media)
        self.payload = try JSONValue(parsing: text)
        self.instance = instance
        guard case .string(let name) = payload["name"] else { throw Missed("a topology without a name: \(text)") }
        self.name = name
    }

    private func list(_ member: String) -> [JSONValue] {
        guard case .array(let nodes) = payload["properties"]?[member] else { return [] }
        return nodes
    }

    private func names(_ nodes: [JSONValue], _ type: String) -> [String] {
        nodes.filter { $0["@type"] == .string("#Microsoft.Media.MediaGraph\(type)") }.compactMap {
            if case .string(let name) = $0["name"] { name } else { nil }
        }
    }

    private var isGated: Bool { !names(list("processors"), "SignalGateProcessor").isEmpty }
    private var assetSink: String? { names(list("sinks"), "AssetSink").first }
    private var fileSink: String? { names(list("sinks"), "FileSink").first }
    private var takesSound: Bool { !payload.text.contains(#""operator":"is","property":"mediaType","value":"video""#) }

    // MARK: Life

    func run(in graph: GraphBox, url: String, of clip: SourceClip) async throws {
        let began = Self.now(.seconds(-8))
        #expect(try await graph.call("GraphTopologySet", payload).status == 201, "\(self)")
        #expect(try await graph.call("GraphInstanceSet", try given(url)).status == 201, "\(self)")
        #expect(try await graph.state(of: instance) == "Inactive")
        #expect(try await graph.call("GraphInstanceActivate", named: instance).status == 200, "\(self)")
        #expect(try await graph.state(of: instance) == "Active")
        try await graph.until("Diagnostics.MediaSessionEstablished", of: instance)
        // More than the longest of these gates reaches back; video and sound count.
        try await eventually("frames of \(instance)", within: .seconds(60)) {
            try await graph.box.status(of: instance).framesReceived > 320 ? true : nil
        }
        if isGated {
            #expect(try await graph.send("open-\(instance)") == [instance])
            try await graph.until("Operational.RecordingStopped", of: instance)
            let outputs = [assetSink, fileSink].compactMap(\.self).count
            try await graph.until("Operational.RecordingAvailable", of: instance, count: outputs)
        }
        #expect(try await graph.call("GraphInstanceDeactivate", named: instance).status == 200, "\(self)")
        #expect(try await graph.state(of: instance) == "Inactive")
        #expect(try await graph.call("GraphInstanceDelete", named: instance).status == 200, "\(self)")
        #expect(try await graph.call("GraphInstanceGet", named: instance).status == 404, "\(self)")
        #expect(try await graph.call("GraphTopologyDelete", named: name).status == 200, "\(self)")
        let told = try await graph.told(of: instance)
        checkEnvelopes(told, since: began)
        checkEvents(told)
        try await checkFootage(told, in: graph.box, of: clip)
    }

    private func given(_ url: String) throws -> JSONValue {
        var values: [JSONValue] = []
        for parameter in list("parameters") {
            guard let name = parameter["name"] else { continue }
            if name == "rtspUrl" { values.append(["name": name, "value": .string(url)]) }
            if ["hubSourceInput", "inputName"].contains(name) {
                values.append(["name": name, "value": .string("open-\(instance)")])
            }
        }
        return [
            "@apiVersion": payload["@apiVersion"] ?? "2.0", "name": .string(instance),
            "properties": ["topologyName": .string(name), "parameters": .array(values)],
        ]
    }

    // MARK: Events

    private func checkEnvelopes(_ told: [ToldEvent], since began: String) {
        let correlations = Set(told.dropFirst().map(\.envelope.correlationId))
        #expect(correlations.count == 1 && correlations.contains(nil) != isGated, "\(self): \(correlations)")
        for event in told {
            // UTC with milliseconds: in the order of their texts. A clip's begins before its message.
            let time = event.envelope.eventTime
            #expect(WallTime(rfc3339: time)?.rfc3339 == time, "\(self): \(time)")
            #expect(began < time && time <= Self.now(), "\(self): \(event.envelope)")
            #expect(event.envelope.dataVersion == "1.0" && event.envelope.output == nil)
            #expect(event.envelope.topic.hasPrefix("/sites/test/boxes/"))
        }
    }

    private static func now(_ offset: Duration = .zero) -> String {
        WallTime(microseconds: Int64((Date.now.timeIntervalSince1970 + offset.seconds) * 1e6)).rfc3339
    }

    private func checkEvents(_ told: [ToldEvent]) {
        let events = told.map(\.description)
        let session = "Diagnostics.MediaSessionEstablished sources/rtspSource sdp"
        #expect(events.first == session, "\(self): \(events)")
        let sdp = told.first?.body("sdp") ?? ""
        #expect(sdp.contains("m=video") && sdp.contains("m=audio"), "\(self): \(sdp)")
        var expected = 1
        for (sink, type) in [(assetSink, "assetName"), (fileSink, "filePath")] {
            guard let sink else { continue }
            let own = told.filter { $0.body("outputType") == type }
            let place = own.first?.body("outputLocation") ?? ""
            let names = ["Started", "Available", "Stopped"].map {
                "Operational.Recording\($0) sinks/\(sink) {\"outputLocation\":\"\(place)\",\"outputType\":\"\(type)\"}"
            }
            // A file is complete when its window is; a continuous recording is over when it is stored. Of a window that
            // is longer than a segment, the first is stored before it closes, or with the rest.
            let orders = isGated ? [[names[0], names[2], names[1]]] : [names]
            let isLong = isGated && type == "assetName"
            #expect((isLong ? orders + [names] : orders).contains(own.map(\.description)), "\(self): \(events)")
            expected += 3
        }
        #expect(events.count == expected, "\(self): \(events)")
    }

    // MARK: Footage

    private func checkFootage(_ told: [ToldEvent], in box: Box, of clip: SourceClip) async throws {
        for event in told where event.type == "Operational.RecordingAvailable" {
            let place = event.body("outputLocation")
            let isFile = event.body("outputType") == "filePath"
            let objects = isFile ? [place] : SegmentFiles.all(in: "\(box.root)/store/test/\(place)", endings: [".mp4"])
            #expect(!objects.isEmpty, "\(self): \(place)")
            for object in objects {
                let kinds = try await TestSupport.run(
                    "/usr/bin/ffprobe", ["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", object])
                #expect(kinds.ending == .exited(0) && kinds.errors.isEmpty, "\(self): \(object) \(kinds.errors)")
                #expect(kinds.text == (takesSound ? "video\naudio\n" : "video\n"), "\(self): \(kinds.text)")
            }
            let footage = try await Footage(objects, of: clip, areOurs: !isFile)
            #expect(footage.complaints.isEmpty, "\(self): \(footage.complaints)")
            for track in footage.tracks.prefix(takesSound ? 2 : 1) { #expect(track.isWhole, "\(self): \(track)") }
        }
    }
}

extension GraphRun: CustomStringConvertible {
    var description: String { "\(instance) of \(name)" }
}
