import Glibc

/// Binds a Unix socket that nobody can connect to before its mode and group are set.
package enum UnixSocket {
    /// A bound socket; the caller owns the descriptor and listens on it.
    ///
    /// Until listen(2) every connect(2) is refused, so there is no moment at which the wrong people get in. The file
    /// of a server that died is replaced; that of one that lives, and anything that is no socket, is left alone.
    package static func bind(path: String, mode: UInt32, group: UInt32?) throws(VarlinkConnectionError) -> Int32 {
        var address = try address(path)
        try clear(path, address)
        let descriptor = try open(path)
        let failure: VarlinkConnectionError?
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        if withBytes(of: &address, { Glibc.bind(descriptor, $0, size) }) != 0 {
            failure = failed("bind", path, "Check that its directory exists and is writable")
        } else if let group, chown(path, uid_t.max, group) != 0 {
            failure = failed("set the group of", path, "Run as a member of the group, or as root")
        } else if chmod(path, mode) != 0 {
            failure = failed("set the mode of", path, "Check the directory's owner")
        } else {
            failure = nil
        }
        if let failure {
            _ = Glibc.close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func clear(_ path: String, _ address: sockaddr_un) throws(VarlinkConnectionError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            errno = EEXIST
            throw failed("bind", path, "Move away the file of that name, or choose another path")
        }
        let probe = try open(path)
        defer { _ = Glibc.close(probe) }
        var address = address
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = withBytes(of: &address) { Glibc.connect(probe, $0, size) }
        guard connected != 0, errno == ECONNREFUSED || errno == ENOENT else {
            errno = EADDRINUSE
            throw failed("bind", path, "Stop the other process that serves it, or choose another path")
        }
        guard unlink(path) == 0 || errno == ENOENT else {
            throw failed("replace", path, "Check the directory's owner")
        }
    }

    private static func open(_ path: String) throws(VarlinkConnectionError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw failed("make", path, "Raise the limit of open files") }
        return descriptor
    }

    private static func address(_ path: String) throws(VarlinkConnectionError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count, !path.utf8.contains(0) else { return false }
            room.copyBytes(from: path.utf8)
            return true
        }
        guard fits else {
            errno = ENAMETOOLONG
            throw failed("bind", path, "Choose a path of at most 107 bytes")
        }
        return address
    }

    private static func withBytes(
        of address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }

    private static func failed(_ operation: String, _ path: String, _ nextStep: String) -> VarlinkConnectionError {
        VarlinkConnectionError(operation: operation, path: path, errno: errno, nextStep: nextStep)
    }
}
