import Foundation
import JSON
import Messages
import Supervision
import Synchronization
import TestSupport
import Testing

/// Events on disk: nothing lost over restarts, torn ends and full spools.
@Suite("Supervision: event spool")
struct EventSpoolTests {
    private let folder = "/tmp/spool-\(UUID())"

    private static func event(_ number: Int) -> Listing.Event {
        Listing.Event(
            time: "2026-01-02T03:04:05.678Z", type: "Microsoft.Media.Graph.Operational.RecordingStarted",
            camera: "front", detail: "\(number)",
            graph: GraphEvent(
                topic: "/sites/a/boxes/b", subject: "/graphInstances/Front", eventTime: "2026-01-02T03:04:05.678Z",
                body: .object(["number": .integer(Int64(number)), "text": .string("ü\n\"")])))
    }

    private func fill(_ spool: EventSpool, _ numbers: ClosedRange<Int>) async {
        for number in numbers { spool.append(Self.event(number)) }
    }

    private func details(_ spool: EventSpool, _ consumer: String, limit: Int = 1000) async throws -> [String] {
        try await spool.events(for: consumer, limit: limit).map(\.event.detail)
    }

    private func removing(_ body: () async throws -> Void) async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        try await body()
    }

    @Test(
        "each consumer goes on behind what it acknowledged, also after a restart; a new one of the configuration begins now"
    )
    func cursors() async throws {
        try await removing {
            let spool = EventSpool(directory: folder)
            spool.configure(["gateway.mqtt"], prefix: "gateway.")
            await fill(spool, 1...5)
            let events = try await spool.events(for: "gateway.mqtt")
            #expect(events.map(\.sequence) == [1, 2, 3, 4, 5] && events.map(\.event) == (1...5).map(Self.event))
            try await spool.acknowledge(3, by: "gateway.mqtt")
            try await spool.acknowledge(2, by: "gateway.mqtt")
            try await spool.acknowledge(99, by: "script")
            #expect(spool.waiting(for: "gateway.mqtt") == 2 && spool.waiting(for: "script") == 0)
            let next = EventSpool(directory: folder)
            next.configure(["gateway.mqtt", "gateway.webhook.a"], prefix: "gateway.")
            await fill(next, 6...7)
            #expect(try await details(next, "gateway.mqtt") == ["4", "5", "6", "7"])
            #expect(try await details(next, "gateway.mqtt", limit: 2) == ["4", "5"])
            #expect(try await details(next, "gateway.webhook.a") == ["6", "7"])
            #expect(try await details(next, "stranger") == (1...7).map { "\($0)" })
            #expect(try await next.events(for: "stranger", after: 6).map(\.sequence) == [7])
            // Forgotten: with that name again it is a new one.
            next.configure([], prefix: "gateway.")
            next.configure(["gateway.mqtt"], prefix: "gateway.")
            #expect(try await details(next, "gateway.mqtt") == [])
            #expect(try await details(next, "script") == ["6", "7"])
        }
    }

    @Test("whoever flushes it knows that what was appended before is on disk")
    func flushed() async throws {
        try await removing {
            let spool = EventSpool(directory: folder)
            await fill(spool, 1...200)
            try await spool.flush()
            let file = try String(contentsOfFile: "\(folder)/00000000000000000001.events", encoding: .utf8)
            #expect(file.split(separator: "\n").count == 200)
        }
    }

    @Test("a record that a crash tore is cut off, wherever, and its number given to the next one")
    func torn() async throws {
        try await removing {
            let spool = EventSpool(directory: folder)
            await fill(spool, 1...3)
            _ = try await spool.events(for: "a")
            let file = "\(folder)/00000000000000000001.events"
            let whole = try Data(contentsOf: URL(filePath: file))
            let lengths = whole.split(separator: 10).map { $0.count + 1 }
            let start = lengths[0] + lengths[1]
            for cut in stride(from: start, to: whole.count, by: 101) {
                for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".events")
                {
                    try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
                }
                try whole.prefix(cut).write(to: URL(filePath: file))
                let next = EventSpool(directory: folder)
                await fill(next, 30...31)
                let found = try await everything(next)
                #expect(found.map(\.sequence) == [1, 2, 3, 4], "cut at \(cut)")
                #expect(found.map(\.event.detail) == ["1", "2", "30", "31"], "cut at \(cut)")
            }
        }
    }

    private var file: URL { URL(filePath: "\(folder)/00000000000000000001.events") }

    @Test("a record that does not check costs itself only, and is told once, to everyone")
    func damaged() async throws {
        try await removing {
            let told = Mutex<[Listing.Event]>([])
            let spool = EventSpool(directory: folder)
            await fill(spool, 1...5)
            _ = try await spool.events(for: "a")
            var bytes = try Data(contentsOf: file)
            let second = try #require(bytes.firstIndex(of: 10)) + 30
            bytes[second] ^= 1
            try bytes.write(to: file)
            let next = EventSpool(directory: folder) { event in told.withLock { $0.append(event) } }
            await fill(next, 6...6)
            #expect(try await everything(next).map(\.sequence) == [1, 3, 4, 5, 6])
            #expect(try await details(next, "b") == ["1", "3", "4", "5", "6"])
            #expect(told.withLock { $0.map(\.type) } == ["graphEventsLost"])
            #expect(told.withLock { $0.first?.detail.hasPrefix("events 2 to 2 ") } == true)
            await fill(next, 7...7)
            let last = try await next.events(for: "a", after: 6)
            #expect(last.first?.event.graph?.body["count"] == .integer(1) && last.last?.event.detail == "7")
        }
    }

    @Test("what a power cut left of zeros among the records costs none of those behind it", arguments: [100, 700_000])
    func zeros(count: Int) async throws {
        try await removing {
            let spool = EventSpool(directory: folder)
            await fill(spool, 1...3)
            _ = try await spool.events(for: "a")
            var bytes = try Data(contentsOf: file)
            let second = try #require(bytes.firstIndex(of: 10)) + 1
            bytes.insert(contentsOf: [UInt8](repeating: 0, count: count), at: second)
            try bytes.write(to: file)
            let next = EventSpool(directory: folder)
            await fill(next, 4...4)
            #expect(try await everything(next).map(\.event.detail) == ["1", "2", "3", "4"])
            #expect(try await details(next, "b", limit: 2) == (count == 100 ? ["1", "2"] : ["1"]))
        }
    }

    @Test(
        "a cursor that is damaged brings its consumer everything again, and is told", arguments: ["", "x7\n", "-1\n"])
    func damagedCursor(text: String) async throws {
        try await removing {
            let told = Mutex<[Listing.Event]>([])
            let spool = EventSpool(directory: folder)
            spool.configure(["gateway.mqtt"], prefix: "gateway.")
            await fill(spool, 1...3)
            try await spool.acknowledge(2, by: "gateway.mqtt")
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/cursors/gateway.mqtt"))
            let next = EventSpool(directory: folder) { event in told.withLock { $0.append(event) } }
            next.configure(["gateway.mqtt"], prefix: "gateway.")
            #expect(try await details(next, "gateway.mqtt") == ["1", "2", "3"])
            #expect(told.withLock { $0.map(\.type) } == ["graphEventsRepeated"])
            try await next.acknowledge(3, by: "gateway.mqtt")
            let last = EventSpool(directory: folder) { event in told.withLock { $0.append(event) } }
            #expect(try await details(last, "gateway.mqtt") == [] && told.withLock { $0.count } == 1)
        }
    }

    @Test("the longest message for an input goes out whole, however it is written")
    func longest() async throws {
        try await removing {
            let spool = EventSpool(directory: folder)
            var long = Self.event(1)
            // Six bytes each as JSON: what cvrd takes in one message.
            let body = JSONValue.string(String(repeating: "\u{1}", count: (256 << 10) / 6 - 1))
            #expect((262_000...262_144).contains(body.text.utf8.count))
            long.graph?.body = body
            for number in 1...3 {
                long.detail = "\(number)"
                spool.append(long)
            }
            let found = try await everything(spool)
            #expect(found.map(\.event.detail) == ["1", "2", "3"] && found.allSatisfy { $0.event.graph?.body == body })
        }
    }

    @Test("an event that a consumer never takes counts as taken by that one alone, and is told to everyone")
    func givenUp() async throws {
        try await removing {
            let told = Mutex<[Listing.Event]>([])
            let spool = EventSpool(directory: folder) { event in told.withLock { $0.append(event) } }
            await fill(spool, 1...2)
            let first = try #require(try await spool.events(for: "gateway.a").first)
            try await spool.giveUp(first, by: "gateway.a", because: "it answered 413")
            let left = try await spool.events(for: "gateway.a")
            #expect(left.map(\.sequence) == [2, 3] && left.last?.event.graph?.body["count"] == .integer(1))
            #expect(left.last?.event.detail.contains("number 1, was not taken by gateway.a") == true)
            #expect(try await details(spool, "gateway.b", limit: 2) == ["1", "2"])
            // One about that makes no other.
            try await spool.giveUp(try #require(left.last), by: "gateway.a", because: "it answered 413")
            #expect(try await spool.events(for: "gateway.a").isEmpty)
            #expect(
                told.withLock { $0.map(\.type) } == [
                    "Microsoft.Media.Graph.Diagnostics.DataDropped", "graphEventsLost",
                ])
        }
    }

    @Test("an event that is given up is told once, though the disk does not take that it counts as delivered")
    func givenUpOnce() async throws {
        try await removing {
            let told = Mutex<[String]>([])
            let spool = EventSpool(directory: folder) { event in told.withLock { $0.append(event.type) } }
            await fill(spool, 1...2)
            let first = try #require(try await spool.events(for: "gateway.a").first)
            try FileManager.default.removeItem(atPath: folder + "/cursors")
            try Data().write(to: URL(filePath: folder + "/cursors"))
            for _ in 1...3 {
                await #expect(throws: (any Error).self) {
                    try await spool.giveUp(first, by: "gateway.a", because: "it answered 413")
                }
            }
            try FileManager.default.removeItem(atPath: folder + "/cursors")
            try FileManager.default.createDirectory(atPath: folder + "/cursors", withIntermediateDirectories: false)
            try await spool.giveUp(first, by: "gateway.a", because: "it answered 413")
            #expect(try await spool.events(for: "gateway.a").map(\.sequence) == [2, 3])
            #expect(told.withLock { $0 } == ["Microsoft.Media.Graph.Diagnostics.DataDropped"])
        }
    }

    @Test("a full spool drops its oldest events with one that says how many, and only to those that had not had them")
    func bounded() async throws {
        try await removing {
            let told = Mutex<[Listing.Event]>([])
            let spool = EventSpool(directory: folder, capacity: 64 << 10) { event in told.withLock { $0.append(event) }
            }
            spool.configure(["gateway.slow"], prefix: "gateway.")
            await fill(spool, 1...400)
            let found = try await spool.events(for: "gateway.slow", limit: 100_000)
            let bytes = try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) { sum, name in
                sum + (try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? Int ?? 0)
            }
            #expect(bytes <= (64 << 10) + 8192, "a directory is no event")
            let first = try #require(found.first)
            #expect(first.sequence > 1)
            let dropped = told.withLock { $0 }
            #expect(
                !dropped.isEmpty && dropped.allSatisfy { $0.type == "Microsoft.Media.Graph.Diagnostics.DataDropped" })
            let count = dropped.compactMap { event -> Int64? in
                guard case .integer(let count)? = event.graph?.body["count"] else { return nil }
                return count
            }.reduce(0, +)
            #expect(count == first.sequence - 1, "each that was dropped is counted once")
            #expect(dropped.first?.graph?.topic == "/sites/a/boxes/b")
            // Whoever keeps up hears of nothing.
            let last = try await all(spool, "gateway.slow")
            try await spool.acknowledge(last, by: "gateway.slow")
            let before = told.withLock { $0.count }
            for round in 0..<8 {
                await fill(spool, (1000 + round * 50)...(1049 + round * 50))
                try await spool.acknowledge(try await all(spool, "gateway.slow"), by: "gateway.slow")
            }
            #expect(told.withLock { $0.count } == before)
        }
    }

    private func everything(_ spool: EventSpool) async throws -> [Admin.StoredEvent] {
        var found: [Admin.StoredEvent] = []
        while case let more = try await spool.events(for: "a", after: found.last?.sequence ?? 0), !more.isEmpty {
            found += more
        }
        return found
    }

    /// Reads to the end; the last sequence.
    private func all(_ spool: EventSpool, _ consumer: String) async throws -> Int64 {
        var last: Int64 = 0
        while true {
            let events = try await spool.events(for: consumer, after: last)
            for (event, expected) in zip(events, (last + 1)...) where last > 0 { #expect(event.sequence == expected) }
            guard let end = events.last else { return last }
            last = end.sequence
        }
    }

    @Test("whoever waits is told of each event, and a disk that cannot be written is told once, with what was lost")
    func bells() async throws {
        try await removing {
            let told = Mutex<[Listing.Event]>([])
            let spool = EventSpool(directory: folder) { event in told.withLock { $0.append(event) } }
            var changes = spool.changes().makeAsyncIterator()
            await fill(spool, 1...1)
            #expect(await changes.next() != nil)
            _ = try await spool.events(for: "a")
            // In the place of the folder a file.
            try FileManager.default.removeItem(atPath: folder)
            try Data().write(to: URL(filePath: folder))
            let broken = EventSpool(directory: folder) { event in told.withLock { $0.append(event) } }
            await fill(broken, 2...4)
            await #expect(throws: (any Error).self) { try await broken.events(for: "a") }
            #expect(told.withLock { $0.map(\.type) } == ["graphEventsLost"])
            try FileManager.default.removeItem(atPath: folder)
            await fill(broken, 5...5)
            #expect(try await details(broken, "a").last == "5")
            #expect(
                told.withLock { $0.last?.graph?.body["count"] } == .integer(3), "those that were lost are counted")
        }
    }
}
