import JSON
import Messages
import Recording
import Supervision
import Testing

extension GraphEventTests {
    @Test("what cvr-sync says of the store, of footage and of a folder, as LVA's events of those whom it concerns")
    func storage() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { box, session in
            try await session.activateGated("evr", box)
            let time = WallTime(seconds: 1_800_000_000).rfc3339
            try box.happened([
                Listing.Event(time: time, type: "footageLost", camera: "door", detail: "evicted"),
                Listing.Event(time: time, type: "fileSinkFailed", camera: "evr", detail: "away"),
                Listing.Event(time: time, type: "storeAway", camera: nil, detail: "no route"),
            ])
            try await session.begin()
            let dropped = try await session.events.next(Self.diagnostics + "DataDropped")
            #expect(dropped.graph?.subject == "/graphInstances/door/sinks/assetSink")
            var troubled: [String: JSONValue] = [:]
            for _ in 0..<3 {
                let event = try await session.events.next(Self.diagnostics + "StorageError")
                troubled[event.graph?.subject ?? ""] = event.graph?.body["storageAccountName"]
            }
            #expect(
                troubled == [
                    "/graphInstances/evr/sinks/fileSink": .string("\(box.root)/files/evr"),
                    "/graphInstances/evr/sinks/assetSink": .string("\(box.root)/store"),
                    "/graphInstances/door/sinks/assetSink": .string("\(box.root)/store"),
                ])
        }
    }
}
