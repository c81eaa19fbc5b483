import Foundation
import Glibc
import NIOCore
import Testing
import Varlink

@Suite("Varlink: server", .timeLimit(.minutes(1)))
struct VarlinkServerTests {
    @Test("calls on one connection are answered in their order")
    func order() async throws {
        let answers = try await EchoService.run { service in
            try await onThread {
                let client = try RawClient(service.path)
                let calls = (0..<50).map { #"{"method":"test.cvr.Echo.Echo","parameters":{"text":"\#($0)"}}"# }
                client.send(Array(calls.joined(separator: "\0").utf8) + [0])
                return try calls.map { _ in try client.receive() }
            }
        }
        #expect(answers == (0..<50).map { #"{"parameters":{"text":"\#($0)"}}"# })
    }

    @Test("more brings continuing replies, then a last one")
    func more() async throws {
        let answers = try await EchoService.run { service in
            try await onThread {
                let client = try RawClient(service.path)
                client.send(#"{"method":"test.cvr.Echo.Count","more":true,"parameters":{"to":3}}"#)
                return try (0..<3).map { _ in try client.receive() }
            }
        }
        #expect(
            answers == [
                #"{"parameters":{"number":1},"continues":true}"#, #"{"parameters":{"number":2},"continues":true}"#,
                #"{"parameters":{"number":3}}"#,
            ])
    }

    @Test("a oneway call is carried out and not answered, even when its sender is gone")
    func oneway() async throws {
        try await EchoService.run { service in
            let answer = try await onThread {
                let client = try RawClient(service.path)
                client.send(#"{"method":"test.cvr.Echo.Echo","oneway":true,"parameters":{"text":"a"}}"#)
                client.send(#"{"method":"test.cvr.Echo.Echo","parameters":{"text":"b"}}"#)
                return try client.receive()
            }
            #expect(answer == #"{"parameters":{"text":"b"}}"#)
            _ = try await onThread {
                try RawClient(service.path).send(
                    #"{"method":"test.cvr.Echo.Echo","oneway":true,"parameters":{"text":"c"}}"#)
            }
            var events = service.events.makeAsyncIterator()
            for expected in ["echo a", "echo b", "echo c"] { #expect(await events.next() == expected) }
        }
    }

    @Test(
        "errors have their Varlink names and parameters",
        arguments: [
            (
                "test.cvr.Echo.Fail", "{}",
                #"{"parameters":{"message":"m","nextStep":"n"},"error":"test.cvr.Echo.Sour"}"#
            ),
            (
                "test.cvr.Echo.Nonsense", "{}",
                #"{"parameters":{"method":"test.cvr.Echo.Nonsense"},"error":"org.varlink.service.MethodNotFound"}"#
            ),
            (
                "test.cvr.Echo.Missing", "{}",
                #"{"parameters":{"method":"test.cvr.Echo.Missing"},"error":"org.varlink.service.MethodNotImplemented"}"#
            ),
            (
                "no.such.Thing", "{}",
                #"{"parameters":{"interface":"no.such"},"error":"org.varlink.service.InterfaceNotFound"}"#
            ),
            ("", "{}", #"{"parameters":{"interface":""},"error":"org.varlink.service.InterfaceNotFound"}"#),
            (
                "test.cvr.Echo.Count", #"{"to":"x"}"#,
                #"{"parameters":{"parameter":"to"},"error":"org.varlink.service.InvalidParameter"}"#
            ),
            (
                "test.cvr.Echo.Count", "{}",
                #"{"parameters":{"parameter":"to"},"error":"org.varlink.service.InvalidParameter"}"#
            ),
        ])
    func failures(method: String, parameters: String, expected: String) async throws {
        let answer = try await EchoService.run { service in
            try await onThread {
                let client = try RawClient(service.path)
                client.send(#"{"method":"\#(method)","parameters":\#(parameters)}"#)
                return try client.receive()
            }
        }
        #expect(answer == expected)
    }

    @Test("the peer is who the kernel says")
    func peer() async throws {
        let owner = try await EchoService.run { service in
            try await VarlinkClient.connect(path: service.path)
                .call("test.cvr.Echo.Peer", VarlinkEmpty(), as: EchoService.Owner.self)
        }
        #expect(owner.peer.pid == getpid() && owner.peer.uid == getuid() && owner.peer.gid == getgid())
    }

    @Test("a client that closes its sending side still gets its answer")
    func halfClosed() async throws {
        try await EchoService.run { service in
            try await onThread {
                let client = try RawClient(service.path)
                client.send(#"{"method":"test.cvr.Echo.Echo","parameters":{"text":"a"}}"#)
                client.finishSending()
                #expect(try client.receive() == #"{"parameters":{"text":"a"}}"#)
                #expect(try client.receive() == nil)
            }
        }
    }

    @Test("a handler is cancelled when its client leaves")
    func leaving() async throws {
        try await EchoService.run { service in
            var events = service.events.makeAsyncIterator()
            var client: VarlinkRaw? = try await VarlinkRaw.open(service.path)
            try await client?.send(#"{"method":"test.cvr.Echo.Wait","more":true}"#)
            #expect(await events.next() == "waiting")
            client = nil
            #expect(await events.next() == "cancelled")
        }
    }

    @Test("a handler that forgets its reply costs its client the connection, not the answer of another")
    func forgotten() async throws {
        try await EchoService.run { service in
            try await onThread {
                let client = try RawClient(service.path)
                client.send(#"{"method":"test.cvr.Echo.Silent"}"#)
                #expect(try client.isDroppedSilently())
            }
        }
    }

    @Test("a server that is stopped lets go of a client that waits")
    func stopping() async throws {
        let path = try await EchoService.run { service in
            let client = try await VarlinkClient.connect(path: service.path)
            Task { try await client.call("test.cvr.Echo.Wait", VarlinkEmpty(), as: VarlinkEmpty.self) }
            var events = service.events.makeAsyncIterator()
            #expect(await events.next() == "waiting")
            return service.path
        }
        #expect(!path.isEmpty)
    }
}
