import CLinux
import Glibc
package import Recording

/// An address that a process takes before it shuts itself in: afterwards it may take no other.
package struct ListeningSocket: Sendable {
    /// As it listens, with the port that it got.
    package let address: ListenAddress
    /// Listens already.
    package let descriptor: Int32

    package init(_ listen: ListenAddress) throws(ServingError) {
        let isSix = listen.bytes.count == 16
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(isSix ? AF_INET6 : AF_INET, kind, 0)
        guard descriptor >= 0 else { throw Self.failure(listen) }
        // Connections of a predecessor that linger do not keep the address from us.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound = isSix ? Self.bindSix(descriptor, listen) : Self.bindFour(descriptor, listen)
        guard bound == 0, Glibc.listen(descriptor, 1024) == 0, let port = Self.port(of: descriptor) else {
            let error = Self.failure(listen)
            close(descriptor)
            throw error
        }
        (self.descriptor, address) = (descriptor, ListenAddress(listen, port: port))
    }

    private static func bindFour(_ descriptor: Int32, _ listen: ListenAddress) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = listen.port.bigEndian
        withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: listen.bytes) }
        return bind(descriptor, &address)
    }

    private static func bindSix(_ descriptor: Int32, _ listen: ListenAddress) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = listen.port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: listen.bytes) }
        return bind(descriptor, &address)
    }

    /// bind(2) to an address of either kind.
    private static func bind<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    /// At the same place in both kinds of address.
    private static func port(of descriptor: Int32) -> UInt16? {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return found == 0 ? UInt16(bigEndian: address.sin6_port) : nil
    }

    private static func failure(_ listen: ListenAddress) -> ServingError {
        let nextStep =
            switch errno {
            case EADDRINUSE: "stop the process that listens there (ss -ltnp), or choose another address"
            case EADDRNOTAVAIL: "choose an address of this host (ip address)"
            case EACCES, EPERM: "choose a port from 1024 on"
            default: "choose another address"
            }
        return ServingError(
            .cannotListen, "\(listen) cannot be listened at: \(String(cString: strerror(errno)))", nextStep: nextStep)
    }
}
