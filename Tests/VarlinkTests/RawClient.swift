import Foundation
import Glibc
import TestSupport

/// A client that says what it likes; blocking, so only for use in `onThread`.
final class RawClient {
    private let descriptor: Int32
    private var pending: [UInt8] = []

    init(_ path: String) throws {
        descriptor = try UnixAddress(path).connect()
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// False when the server is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8) + [0]) }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next message; nil when the server closed the connection.
    func receive() throws -> String? {
        while true {
            if let end = pending.firstIndex(of: 0) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            var room = [UInt8](repeating: 0, count: 65536)
            let count = recv(descriptor, &room, room.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return nil }
            guard count > 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            pending += room[..<count]
        }
    }

    /// Waits until the server has closed the connection; true if it did without a word.
    func isDroppedSilently() throws -> Bool {
        var isSilent = true
        while try receive() != nil { isSilent = false }
        return isSilent && pending.isEmpty
    }
}
