import Foundation
import Glibc
import Testing
import Varlink

@Suite("Varlink: client", .timeLimit(.minutes(1)))
struct VarlinkClientTests {
    typealias Text = EchoService.Text

    @Test("overlapping calls each get their own answer")
    func overlapping() async throws {
        try await EchoService.run { service in
            let client = try await VarlinkClient.connect(path: service.path)
            try await withThrowingTaskGroup(of: Bool.self) { tasks in
                for number in 0..<100 {
                    let text = Text(text: "\(number)")
                    tasks.addTask { try await client.call("test.cvr.Echo.Echo", text, as: Text.self) == text }
                }
                for try await isOwn in tasks { #expect(isOwn) }
            }
        }
    }

    @Test("an error reply is thrown with its name, message and next step")
    func remoteError() async throws {
        try await EchoService.run { service in
            let client = try await VarlinkClient.connect(path: service.path)
            let error = await #expect(throws: VarlinkRemoteError.self) {
                try await client.call("test.cvr.Echo.Fail", VarlinkEmpty(), as: VarlinkEmpty.self)
            }
            #expect(error?.name == "test.cvr.Echo.Sour")
            #expect(error?.description == "m. n")
            let unknown = await #expect(throws: VarlinkRemoteError.self) {
                try await client.call("test.cvr.Echo.Nonsense", VarlinkEmpty(), as: VarlinkEmpty.self)
            }
            #expect(unknown?.message == "org.varlink.service.MethodNotFound: test.cvr.Echo.Nonsense")
        }
    }

    @Test("an answer of another shape is an error, not a crash")
    func shape() async throws {
        try await EchoService.run { service in
            let client = try await VarlinkClient.connect(path: service.path)
            let error = await #expect(throws: VarlinkConnectionError.self) {
                try await client.call("test.cvr.Echo.Echo", Text(text: "a"), as: EchoService.Number.self)
            }
            #expect(error?.errno == EPROTO)
        }
    }

    @Test("nobody there, and a path that is too long, are told apart")
    func nowhere() async throws {
        for (path, number) in [("/nonexistent/s", ENOENT), ("/" + String(repeating: "x", count: 200), ENAMETOOLONG)] {
            let error = await #expect(throws: VarlinkConnectionError.self) {
                try await VarlinkClient.connect(path: path)
            }
            #expect(error?.errno == number)
        }
    }

    @Test("a call ends at its timeout, and by cancellation; the service's later answer is dropped")
    func abandoned() async throws {
        try await EchoService.run { service in
            let client = try await VarlinkClient.connect(path: service.path)
            let late = await #expect(throws: VarlinkConnectionError.self) {
                try await client.call(
                    "test.cvr.Echo.Wait", VarlinkEmpty(), as: VarlinkEmpty.self, timeout: .milliseconds(50))
            }
            #expect(late?.errno == ETIMEDOUT)
            let task = Task {
                try await client.call("test.cvr.Echo.Wait", VarlinkEmpty(), as: VarlinkEmpty.self)
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("calls fail when the service goes away")
    func away() async throws {
        let folder = try temporaryFolder()
        defer { remove(folder) }
        let task = try await EchoService.run(path: "\(folder)/s") { service in
            let client = try await VarlinkClient.connect(path: service.path)
            let task = Task { try await client.call("test.cvr.Echo.Wait", VarlinkEmpty(), as: VarlinkEmpty.self) }
            var events = service.events.makeAsyncIterator()
            #expect(await events.next() == "waiting")
            return task
        }
        let error = await #expect(throws: VarlinkConnectionError.self) { try await task.value }
        #expect(error?.errno == ECONNRESET)
        let refused = await #expect(throws: VarlinkConnectionError.self) {
            try await VarlinkClient.connect(path: "\(folder)/s")
        }
        #expect(refused?.errno == ECONNREFUSED)
    }

    @Test("a stream brings every reply and ends")
    func stream() async throws {
        let numbers = try await EchoService.run { service in
            let client = try await VarlinkClient.connect(path: service.path)
            var numbers: [Int] = []
            for try await data in client.stream("test.cvr.Echo.Count", EchoService.Limit(to: 1000)) {
                numbers.append(try JSONDecoder().decode(EchoService.Number.self, from: data).number)
            }
            let text = Text(text: "after")
            #expect(try await client.call("test.cvr.Echo.Echo", text, as: Text.self) == text)
            return numbers
        }
        #expect(numbers == Array(1...1000))
    }

    @Test("a slow consumer slows the service, and leaving the stream ends its handler")
    func slowConsumer() async throws {
        try await EchoService.run { service in
            let client = try await VarlinkClient.connect(path: service.path)
            for try await _ in client.stream("test.cvr.Echo.Flood", VarlinkEmpty()) where service.counter.value >= 3 {
                break
            }
            var events = service.events.makeAsyncIterator()
            #expect(await events.next() == "stopped")
            #expect(service.counter.value < 40)
        }
    }

    @Test("a service that is none, or says too much, is left")
    func nonsense() async throws {
        let answers = [
            Array("HTTP/1.1 400 Bad Request\r\n\0".utf8), Array("{\"error\":7}\0".utf8),
            Array("{}\0{}\0".utf8) + [0], [UInt8](repeating: 0x20, count: 2000),
        ]
        for answer in answers {
            let folder = try temporaryFolder()
            defer { remove(folder) }
            let service = try ScriptedService("\(folder)/s", answer: answer)
            let client = try await VarlinkClient.connect(path: "\(folder)/s", maximumReplyBytes: 1000)
            let error = await #expect(throws: VarlinkConnectionError.self) {
                for _ in 0..<3 { _ = try await client.callRaw("a.b.C", Data("{}".utf8)) }
            }
            #expect(error?.errno == EPROTO)
            await client.close()
            try await service.end()
        }
    }
}

/// Answers its first client's first bytes with bytes, and waits for it to leave.
struct ScriptedService {
    private let task: Task<Void, any Error>

    init(_ path: String, answer: [UInt8]) throws {
        let descriptor = try UnixSocket.bind(path: path, mode: 0o600, group: nil)
        listen(descriptor, 1)
        task = Task {
            try await onThread {
                defer { close(descriptor) }
                var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&wanted, 1, 20_000)
                let client = accept(descriptor, nil, nil)
                defer { close(client) }
                var room = [UInt8](repeating: 0, count: 4096)
                _ = recv(client, &room, room.count, 0)
                _ = answer.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                while recv(client, &room, room.count, 0) > 0 {}
            }
        }
    }

    func end() async throws { try await task.value }
}
