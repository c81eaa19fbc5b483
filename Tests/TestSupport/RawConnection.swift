import Foundation
import Glibc

/// A connection that sends what no client would, and reads as slowly as it likes.
package final class RawConnection: Sendable {
    package let descriptor: Int32

    /// `window`: what the kernel may take before it is read.
    package init(port: Int, window: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Missed("socket: \(errno)") }
        if var window { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &window, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Missed("connect: \(errno)") }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    package func send(_ text: String) { send(Array(text.utf8)) }

    /// What the peer does not take is not sent: it may have gone.
    package func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// At most so many bytes; none at the end of the stream, nil when the peer broke it off or said nothing for 20 s.
    ///
    /// On a thread of its own: the server under test runs on those that tests share.
    package func read(_ count: Int) async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                var bytes = [UInt8](repeating: 0, count: count)
                let got = recv(descriptor, &bytes, count, 0)
                continuation.resume(returning: got < 0 ? nil : Array(bytes.prefix(got)))
            }
        }
    }

    /// All that comes until the peer closes.
    package func readAll(limit: Int = 1 << 20) async -> String {
        var all: [UInt8] = []
        while all.count < limit, let more = await read(65_536), !more.isEmpty { all += more }
        return String(decoding: all, as: UTF8.self)
    }
}

/// Connections that the server at a port has not closed (proc_net_tcp(5): ESTABLISHED and CLOSE_WAIT).
package func openConnections(port: Int) throws -> Int {
    let local = ":" + String(format: "%04X", port)
    return try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8).split(separator: "\n").filter { line in
        let fields = line.split(separator: " ")
        return fields.count > 3 && fields[1].hasSuffix(local) && ["01", "08"].contains(fields[3])
    }.count
}
