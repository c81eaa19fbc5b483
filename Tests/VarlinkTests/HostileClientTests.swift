import Foundation
import NIOCore
import TestSupport
import Testing
import Varlink

@Suite("Varlink: hostile clients", .timeLimit(.minutes(1)))
struct HostileClientTests {
    /// A neighbour that talked before is still answered after; I9.
    func expectNeighbourServed(
        limits: VarlinkLimits = VarlinkLimits(), _ attack: @escaping @Sendable (EchoService) async throws -> Void
    ) async throws {
        try await EchoService.run(limits: limits) { service in
            let neighbour = try await VarlinkClient.connect(path: service.path)
            let echo = EchoService.Text(text: "still here")
            #expect(try await neighbour.call("test.cvr.Echo.Echo", echo, as: EchoService.Text.self) == echo)
            try await attack(service)
            #expect(try await neighbour.call("test.cvr.Echo.Echo", echo, as: EchoService.Text.self) == echo)
        }
    }

    static let malformed: [String] = [
        "", " ", "GET / HTTP/1.1\r\n\r\n", "[]", "null", "1", "{", "{}", "{}}", #"{"method":1}"#, #"{"method":null}"#,
        #"{"method":"test.cvr.Echo.Echo","parameters":[]}"#, #"{"method":"test.cvr.Echo.Echo","parameters":"x"}"#,
        #"{"method":"test.cvr.Echo.Echo","more":1}"#, #"{"method":"test.cvr.Echo.Echo","more":true,"oneway":true}"#,
        #"{"method":"test.cvr.Echo.Echo","parameters":{"text":tru}}"#, #"{"method":"\ud800"}"#,
        #"{"method":"test.cvr.Echo.Echo","parameters":{"text":"a"},}"#,
    ]

    @Test("garbage disconnects its sender", arguments: malformed)
    func garbage(text: String) async throws {
        try await expectNeighbourServed { service in
            try await onThread {
                let client = try RawClient(service.path)
                client.send(text)
                #expect(try client.isDroppedSilently())
            }
        }
    }

    @Test("nesting without end disconnects its sender")
    func nested() async throws {
        try await expectNeighbourServed { service in
            try await onThread {
                for opening in ["[", #"{"a":"#] {
                    let client = try RawClient(service.path)
                    let deep = String(repeating: opening, count: 100_000)
                    client.send(#"{"method":"test.cvr.Echo.Echo","parameters":{"a":"# + deep)
                    #expect(try client.isDroppedSilently())
                }
            }
        }
    }

    @Test("bytes that are no UTF-8 disconnect their sender")
    func notText() async throws {
        try await expectNeighbourServed { service in
            try await onThread {
                let client = try RawClient(service.path)
                client.send(
                    Array(#"{"method":"test.cvr.Echo.Echo","parameters":{"text":"#.utf8) + [0xFF, 0x22, 0x7D, 0x7D, 0])
                #expect(try client.isDroppedSilently())
            }
        }
    }

    @Test("a message of 1 MiB is taken, a longer one disconnects its sender")
    func long() async throws {
        try await expectNeighbourServed { service in
            try await onThread {
                let head = #"{"method":"test.cvr.Echo.Echo","parameters":{"text":""#
                let fitting = head + String(repeating: "x", count: 1 << 20 - head.utf8.count - 3) + #""}}"#
                let client = try RawClient(service.path)
                client.send(fitting)
                #expect(try client.receive()?.utf8.count ?? 0 > 1_000_000)
                client.send(fitting + " ")
                #expect(try client.isDroppedSilently())
                let endless = try RawClient(service.path)
                let chunk = [UInt8](repeating: 0x20, count: 1 << 20)
                while endless.send(chunk) {}
            }
        }
    }

    @Test("half a message and then nothing disconnects its sender")
    func half() async throws {
        var limits = VarlinkLimits()
        limits.partialMessage = .milliseconds(50)
        try await expectNeighbourServed(limits: limits) { service in
            try await onThread {
                let client = try RawClient(service.path)
                client.send(Array(#"{"method":"test.cvr"#.utf8))
                #expect(try client.isDroppedSilently())
            }
        }
    }

    @Test("a client that never reads is disconnected, and costs one reply")
    func stalled() async throws {
        var limits = VarlinkLimits()
        limits.stalledReply = .milliseconds(100)
        try await expectNeighbourServed(limits: limits) { service in
            var events = service.events.makeAsyncIterator()
            #expect(await events.next() == "echo still here")
            let client = try await VarlinkRaw.open(service.path)
            try await client.send(#"{"method":"test.cvr.Echo.Flood","more":true}"#)
            #expect(await events.next() == "stopped")
            #expect(service.counter.value < 20, "only what the socket's buffer holds")
            withExtendedLifetime(client) {}
        }
    }

    @Test("a server with a client that never reads stops at once")
    func stalledStop() async throws {
        let (service, client) = try await EchoService.run { service in
            let client = try await VarlinkRaw.open(service.path)
            try await client.send(#"{"method":"test.cvr.Echo.Flood","more":true}"#)
            try await eventually("the flood has begun", every: .milliseconds(5)) {
                service.counter.value > 0 ? true : nil
            }
            return (service, client)
        }
        var events = service.events.makeAsyncIterator()
        #expect(await events.next() == "stopped")
        withExtendedLifetime(client) {}
    }

    @Test("a crowd of silent clients keeps nobody out")
    func crowd() async throws {
        try await EchoService.run { service in
            try await onThread {
                let crowd = try (0..<200).map { _ in try RawClient(service.path) }
                let client = try RawClient(service.path)
                client.send(#"{"method":"test.cvr.Echo.Echo","parameters":{"text":"a"}}"#)
                #expect(try client.receive() == #"{"parameters":{"text":"a"}}"#)
                #expect(try crowd[0].isDroppedSilently())
            }
        }
    }

    @Test("a process whose calls take every connection keeps no other out, and loses one for each that comes")
    func busyCrowd() async throws {
        var limits = VarlinkLimits()
        limits.connections = 4
        try await EchoService.run(limits: limits) { service in
            var events = service.events.makeAsyncIterator()
            let crowd = try Crowd(service.path)
            defer { crowd.leave() }
            for _ in 0..<4 {
                try crowd.ask()
                #expect(await events.next() == "waiting")
            }
            let echo = EchoService.Text(text: "a")
            for count in 1...3 {
                let client = try await VarlinkClient.connect(path: service.path)
                #expect(try await client.call("test.cvr.Echo.Echo", echo, as: EchoService.Text.self) == echo)
                // The answer may be there before the other one's end.
                var both: Set<String?> = [await events.next()]
                both.insert(await events.next())
                #expect(both == ["cancelled", "echo a"], "newcomer \(count)")
                await client.close()
                // Its room is the crowd's again, once the server has seen its end.
                try crowd.askUntilServed()
                #expect(await events.next() == "echo c")
                #expect(await events.next() == "waiting")
            }
        }
    }

    @Test("a process whose calls take all other connections cannot have another's idle one")
    func greedyCrowd() async throws {
        var limits = VarlinkLimits()
        limits.connections = 4
        try await EchoService.run(limits: limits) { service in
            var events = service.events.makeAsyncIterator()
            let echo = EchoService.Text(text: "a")
            let idle = try await VarlinkClient.connect(path: service.path)
            #expect(try await idle.call("test.cvr.Echo.Echo", echo, as: EchoService.Text.self) == echo)
            #expect(await events.next() == "echo a")
            let crowd = try Crowd(service.path)
            defer { crowd.leave() }
            for _ in 0..<3 {
                try crowd.ask()
                #expect(await events.next() == "waiting")
            }
            #expect(try await crowd.isTurnedAway())
            #expect(try await idle.call("test.cvr.Echo.Echo", echo, as: EchoService.Text.self) == echo)
            await idle.close()
        }
    }

    @Test("when all connections are busy the newcomer is turned away, and the busy ones go on")
    func busy() async throws {
        var limits = VarlinkLimits()
        limits.connections = 2
        try await EchoService.run(limits: limits) { service in
            var events = service.events.makeAsyncIterator()
            var busy: [VarlinkRaw] = []
            for _ in 0..<2 {
                let client = try await VarlinkRaw.open(service.path)
                try await client.send(#"{"method":"test.cvr.Echo.Wait"}"#)
                #expect(await events.next() == "waiting")
                busy.append(client)
            }
            let isTurnedAway = try await onThread { try RawClient(service.path).isDroppedSilently() }
            #expect(isTurnedAway)
            busy.removeLast()
            #expect(await events.next() == "cancelled")
            let echo = EchoService.Text(text: "a")
            let client = try await VarlinkClient.connect(path: service.path)
            #expect(try await client.call("test.cvr.Echo.Echo", echo, as: EchoService.Text.self) == echo)
        }
    }
}

/// A raw client that may be held across suspensions; each use blocks a thread of its own.
final class VarlinkRaw: @unchecked Sendable {
    private let client: RawClient

    private init(_ client: RawClient) { self.client = client }

    static func open(_ path: String) async throws -> VarlinkRaw {
        try await onThread { VarlinkRaw(try RawClient(path)) }
    }

    func send(_ text: String) async throws { try await onThread { _ = self.client.send(text) } }
}
