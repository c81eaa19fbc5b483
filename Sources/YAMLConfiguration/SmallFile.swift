import CLinux
import Glibc

/// A file of the configuration or the state that could not be read or written.
package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    package let operation: String
    package let path: String
    package let errno: Int32
    package let nextStep: String

    package init(_ operation: String, _ path: String, _ errno: Int32, nextStep: String) {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.nextStep = nextStep
    }

    package var description: String { "\(operation) \(path): \(String(cString: strerror(errno))); \(nextStep)" }
}

/// Small files, whole: bounded reads and writes that are either done or not, also over a power cut.
package enum SmallFile {
    /// The bytes of the regular file at `path`; nil when there is none.
    package static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8]? {
        let fd = cvr_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard fd >= 0 else {
            if errno == ENOENT { return nil }
            throw FileError("open", path, errno, nextStep: "make it readable for cvrd")
        }
        defer { close(fd) }
        var facts = stat()
        guard fstat(fd, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw FileError("read", path, EINVAL, nextStep: "put a regular file there")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(fd, $0.baseAddress?.advanced(by: count), limit + 1 - count)
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw FileError("read", path, errno, nextStep: "check the disk") }
            if got == 0 { break }
            count += got
        }
        guard count <= limit else {
            throw FileError("read", path, EFBIG, nextStep: "at most \(limit) bytes belong there")
        }
        return Array(bytes.prefix(count))
    }

    /// Replaces `path`: temporary file, fsync, rename, fsync of the directory.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32) throws(FileError) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = path[..<slash]
        let temporary = "\(directory)/.\(path[slash...].dropFirst()).new"
        let nextStep = "free space on the disk, or make its directory writable for cvrd"
        unlink(temporary)
        let fd = cvr_open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode)
        guard fd >= 0 else { throw FileError("create", temporary, errno, nextStep: nextStep) }
        var failure: Int32 = writeAll(bytes, to: fd)
        if failure == 0, fsync(fd) != 0 { failure = errno }
        close(fd)
        if failure == 0, rename(temporary, path) != 0 { failure = errno }
        guard failure == 0 else {
            unlink(temporary)
            throw FileError("write", path, failure, nextStep: nextStep)
        }
        try sync(directory: String(directory))
    }

    /// Removes `path`; one that is not there is fine.
    package static func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw FileError("remove", path, errno, nextStep: "make its directory writable for cvrd")
        }
        try sync(directory: String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    /// Gives `path` another name in its directory, so that nobody reads it again; false when that fails.
    package static func setAside(_ path: String, as name: String) -> Bool { rename(path, name) == 0 }

    /// Removes the directory at `path` if it is there and empty.
    package static func removeEmptyDirectory(_ path: String) { rmdir(path) }

    /// Makes `path` and what is missing above it; a directory that is there is fine.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(FileError) {
        var made = ""
        for part in path.split(separator: "/") {
            let parent = made
            made += "/\(part)"
            if mkdir(made, mode) == 0 {
                try sync(directory: parent)
            } else if errno != EEXIST {
                throw FileError("mkdir", made, errno, nextStep: "make the directory above it writable for cvrd")
            }
        }
    }

    private static func writeAll(_ bytes: [UInt8], to fd: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return errno }
            rest = rest.dropFirst(written)
        }
        return 0
    }

    private static func sync(directory: String) throws(FileError) {
        let fd = cvr_open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY, 0)
        guard fd >= 0 else { throw FileError("open", directory, errno, nextStep: "make it readable for cvrd") }
        defer { close(fd) }
        guard fsync(fd) == 0 else { throw FileError("fsync", directory, errno, nextStep: "check the disk") }
    }
}
