package import Foundation
import Glibc
package import JSON

/// A connection to a box's admin socket by none of our own code: JSON and a NUL there, JSON and a NUL back.
package final class AdminConnection: Sendable {
    private let descriptor: Int32

    package init(to box: Box) throws {
        descriptor = try UnixAddress(box.adminSocket).connect()
        var limit = timeval(tv_sec: 300, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// The parameters of the reply; an error of the box's is one here.
    package func call(_ method: String, _ parameters: JSONValue) async throws -> JSONValue {
        try send(method, parameters)
        return try await answer(to: method)
    }

    /// Returns when the kernel has the call, whether or not cvrd has read it.
    package func send(_ method: String, _ parameters: JSONValue) throws {
        let call: JSONValue = ["method": .string("io.cvr.Admin.\(method)"), "parameters": parameters]
        var rest = (Array(call.text.utf8) + [0])[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw Missed("\(method): send: errno \(errno)") }
            rest = rest.dropFirst(sent)
        }
    }

    package func answer(to method: String) async throws -> JSONValue {
        let text = try await answerText(to: method)
        let reply = try JSONDecoder().decode(JSONValue.self, from: text)
        if case .string(let error) = reply["error"] { throw Missed("\(method): \(error) \(reply.text)") }
        return reply["parameters"] ?? [:]
    }

    /// The whole reply as it came; on a thread of its own, for it may take minutes.
    package func answerText(to method: String) async throws -> Data {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { [self] in continuation.resume(with: Result { try read(method) }) }
        }
    }

    private func read(_ method: String) throws -> Data {
        var text = Data()
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { throw Missed("\(method): no answer: \(count == 0 ? "closed" : "errno \(errno)")") }
            text += chunk.prefix(count)
            if text.last == 0 { return text.dropLast() }
        }
    }
}
