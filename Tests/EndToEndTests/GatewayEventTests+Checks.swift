import Foundation
import JSON
import Recording
import TestSupport
import Testing

extension GatewayEventTests {
    /// `expected` is all that is told of each instance, but for what its cache drops.
    func check(_ scene: GatewayScene, since began: String, _ expected: [String: [String]]) async throws {
        let told = try await everywhere(scene, atLeast: expected.values.joined().count)
        #expect(Set(told.map(\.id)).count == told.count, "each once: \(told)")
        for event in told { checkEnvelope(event, since: began) }
        let (dropped, others) = (told.filter { $0.type == "DataDropped" }, told.filter { $0.type != "DataDropped" })
        for (name, events) in expected {
            let found = others.filter { $0.instance == name }.map(\.shown)
            #expect(found.sorted() == events.sorted(), "\(name)")
        }
        #expect(Set(dropped.map(\.instance)) == ["full"])
        #expect(Set(dropped.map(\.shown)) == [#"DataDropped sinks/assetSink {"dataType":"media"}"#])
        checkPlaces(told, scene.box.root)
        let runtime = told.filter { $0.instance.isEmpty }
        #expect(runtime.map(\.type) == ["RuntimeError"] && runtime.first?.body == ["code": "stateNotWritten"])
        #expect(Set(told.map(\.type)).count == 13, "every kind that there is")
        for line in scene.hub.output.lines where line.contains("/messages/events/") {
            let output =
                line.contains(".Analytics.")
                ? "inferenceOutput" : line.contains(".Operational.") ? "AmsOperational" : "AmsDiagnostics"
            #expect(line.contains("/$.on=\(output)&"), "\(line)")
        }
    }

    /// What came by webhook, once the same came by MQTT and to cvrctl, in the same order.
    private func everywhere(_ scene: GatewayScene, atLeast count: Int) async throws -> [ArrivedEvent] {
        try await eventually("all by webhook, by MQTT and in cvrctl", within: .seconds(60)) {
            let (told, listed) = (try ArrivedEvent.by(scene.hook), try await Self.listed(scene.box))
            let isSame = try ArrivedEvent.by(scene.hub) == told && listed == told.map(\.listed)
            return isSame && told.count >= count ? told : nil
        }
    }

    /// What `cvrctl events --follow` printed of media graphs.
    private static func listed(_ box: Box) async throws -> [ArrivedEvent] {
        try await box.events.lines.compactMap { line in
            let line = try JSONValue(parsing: line)
            guard case .string(let type) = line["type"], let detail = line["detail"] else { return nil }
            var event = ArrivedEvent(detail, body: "body")
            event?.eventType = type
            return event
        }
    }

    private func checkEnvelope(_ event: ArrivedEvent, since began: String) {
        #expect(WallTime(rfc3339: event.eventTime)?.rfc3339 == event.eventTime, "\(event)")
        #expect(began < event.eventTime, "\(event)")
        #expect(event.dataVersion == "1.0" && event.topic.hasPrefix("/sites/test/boxes/"), "\(event)")
        let family =
            switch event.type {
            case "Inference": "Graph.Analytics"
            case "RecordingStarted", "RecordingAvailable", "RecordingStopped": "Graph.Operational"
            case "RuntimeError": "Edge.Diagnostics"
            default: "Graph.Diagnostics"
            }
        #expect(event.eventType == "Microsoft.Media.\(family).\(event.type)")
        let isOfClip = event.instance == "gated" && !family.hasSuffix("Diagnostics")
        #expect(event.correlation.isEmpty != isOfClip, "\(event)")
        if case .integer(let timestamp) = event.body["timestamp"] {
            let scale: Int64 = event.type == "Inference" ? 90 : 1
            #expect(WallTime(microseconds: timestamp / scale * 1000).rfc3339 == event.eventTime, "\(event)")
        }
    }

    /// All that is told of a recording names one place; of clips, each its own.
    private func checkPlaces(_ told: [ArrivedEvent], _ root: String) {
        for (node, events) in Dictionary(grouping: told.filter { $0.type.hasPrefix("Recording") }, by: \.subject) {
            for (correlation, events) in Dictionary(grouping: events, by: \.correlation) {
                let places = Set(events.map { $0.body["outputLocation"]?.text ?? "" })
                #expect(places.count == 1, "\(node) \(correlation): \(places)")
                for place in places where node.hasSuffix("fileSink") {
                    #expect(place.hasPrefix("\"\(root)/files/evr/clip-"), "\(place)")
                }
            }
        }
    }
}

extension ArrivedEvent {
    /// Empty where it is none's.
    var instance: String { subject.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    /// Type, node and body, but for what is another each time.
    var shown: String {
        let node = subject.split(separator: "/").dropFirst(2).joined(separator: "/")
        let body = body.text.replacing(/"timestamp":\d+/, with: "\"timestamp\":0")
            .replacing(/"outputLocation":"[^"]*",/, with: "")
            .replacing(/"sdp":"SDP:\\nv=0\\r\\n[^"]*"/, with: "\"sdp\":\"\"")
            .replacing(/rtsp:\/\/127\.0\.0\.1:\d+/, with: "rtsp://camera")
        return "\(type) \(node) \(body)"
    }

    /// As `cvrctl` has it: without what only a receiver needs.
    fileprivate var listed: ArrivedEvent {
        var event = self
        (event.id, event.correlation) = ("", "")
        return event
    }
}

extension [ArrivedEvent] {
    func count(of type: String, _ instance: String) -> Int { count { $0.type == type && $0.instance == instance } }
}
