import Foundation

/// Where a Unix socket lies, for tests that speak below our own libraries.
package struct UnixAddress: Sendable {
    private let path: String

    package init(_ path: String) { self.path = path }

    /// A stream connected to whoever listens there; without `waits`, one that may still be on its way.
    package func connect(waits: Bool = true) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | (waits ? 0 : SOCK_NONBLOCK.rawValue)), 0)
        guard name({ Glibc.connect(descriptor, $0, $1) }) == 0 || (!waits && errno == EAGAIN) else {
            let reason = errno
            close(descriptor)
            throw Missed("connect \(path): errno \(reason)")
        }
        return descriptor
    }

    /// Takes the name for datagrams.
    package func receive() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard name({ bind(descriptor, $0, $1) }) == 0 else { throw Missed("bind \(path): errno \(errno)") }
        return descriptor
    }

    private func name(_ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { use($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
