import CLinux
import Checksums
import Glibc
import Recording

/// The folder that a file sink writes into, and what is in it, by descriptor and never through a symbolic link.
///
/// Nothing that is there is ever replaced, and only the sink's own files are removed: whoever calls knows which those are.
/// Used by one thread.
final class SinkFolder {
    private static let block = 256 << 10

    let path: String
    private let descriptor: Int32

    deinit { close(descriptor) }

    /// Makes it, below one of the folders that files may be written below, which must be there.
    ///
    /// Throws when it is below none of them, or cannot be reached.
    init(_ path: String, below roots: [String]) throws(SyncError) {
        (self.path, descriptor) = try Self.reach(path, below: roots)
    }

    private static func reach(
        _ path: String, below roots: [String]
    ) throws(SyncError) -> (path: String, descriptor: Int32) {
        guard let root = roots.first(where: { path.isBelow($0) }) else {
            throw SyncError(
                .failed, "\(path) is below none of the folders that files may be written to",
                nextStep: "name it, or a folder above it, in graph.filePaths of cvr.yaml")
        }
        let above = root.split(separator: "/")
        var (here, folder) = (above.map { "/" + $0 }.joined(), try open(root))
        do throws(SyncError) {
            for name in path.split(separator: "/").dropFirst(above.count) {
                here += "/" + name
                folder = try step(into: String(name), of: folder, here)
            }
        } catch {
            close(folder)
            throw error
        }
        return (here, folder)
    }

    private static func open(_ root: String) throws(SyncError) -> Int32 {
        let folder = cvr_open(root, O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { throw SyncError(filing: "open", root) }
        return folder
    }

    /// Closes the folder that it comes from; of a failure that is left to the caller.
    private static func step(into name: String, of folder: Int32, _ path: String) throws(SyncError) -> Int32 {
        if mkdirat(folder, name, 0o750) == 0 {
            guard fsync(folder) == 0 else { throw SyncError(filing: "sync the folder of", path) }
        } else if errno != EEXIST {
            throw SyncError(filing: "make", path)
        }
        let next = cvr_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
        guard next >= 0 else { throw SyncError(filing: "open", path) }
        close(folder)
        return next
    }

    /// Whatever it is.
    func has(_ name: String) throws(SyncError) -> Bool {
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return true }
        guard errno == ENOENT else { throw SyncError(filing: "look up", "\(path)/\(name)") }
        return false
    }

    /// An empty file; one of that name is cut to nothing.
    func create(_ name: String) throws(SyncError) -> SinkPart {
        let file = cvr_openat(descriptor, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o640)
        guard file >= 0 else { throw SyncError(filing: "create", "\(path)/\(name)") }
        return SinkPart(file, "\(path)/\(name)")
    }

    /// Gives a file its name; false when something has it.
    func rename(_ name: String, toNew newName: String) throws(SyncError) -> Bool {
        if cvr_rename_new(descriptor, name, newName) == 0 { return true }
        if errno == EEXIST { return false }
        // A file system that does not know the flag, such as NFS.
        guard errno == EINVAL else { throw SyncError(filing: "name", "\(path)/\(newName)") }
        guard try !has(newName) else { return false }
        guard renameat(descriptor, name, descriptor, newName) == 0 else {
            throw SyncError(filing: "name", "\(path)/\(newName)")
        }
        return true
    }

    /// Names that were given or taken survive a power cut on return.
    func sync() throws(SyncError) { guard fsync(descriptor) == 0 else { throw SyncError(filing: "sync", path) } }

    func remove(_ name: String) throws(SyncError) {
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
            throw SyncError(filing: "remove", "\(path)/\(name)")
        }
    }

    /// True for a file of just these bytes; false for anything else, and for nothing.
    func holds(_ name: String, bytes: Int64, checksum: UInt32) throws(SyncError) -> Bool {
        let file = cvr_openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
        guard file >= 0 else {
            guard [ENOENT, ELOOP, ENXIO].contains(errno) else { throw SyncError(filing: "open", "\(path)/\(name)") }
            return false
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Int64(status.st_size) == bytes else {
            return false
        }
        var (sum, buffer) = (CRC32C(), [UInt8](repeating: 0, count: Self.block))
        while true {
            let got = read(file, &buffer, buffer.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw SyncError(filing: "read", "\(path)/\(name)") }
            if got == 0 { return sum.value == checksum }
            sum.update(buffer[..<got])
        }
    }
}

/// A file that is being written by one thread; closed when it goes.
final class SinkPart {
    private let descriptor: Int32
    private let path: String
    private(set) var bytes: Int64 = 0
    private var sum = CRC32C()

    fileprivate init(_ descriptor: Int32, _ path: String) { (self.descriptor, self.path) = (descriptor, path) }

    deinit { close(descriptor) }

    var checksum: UInt32 { sum.value }

    func write(_ block: [UInt8]) throws(SyncError) {
        var rest = block[...]
        while !rest.isEmpty {
            let done = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if done > 0 {
                rest = rest.dropFirst(done)
            } else if done == 0 || errno != EINTR {
                throw SyncError(filing: "write", path)
            }
        }
        sum.update(block)
        bytes = bytes.addingSaturated(Int64(block.count))
    }

    func sync() throws(SyncError) { guard fdatasync(descriptor) == 0 else { throw SyncError(filing: "sync", path) } }
}

extension SyncError {
    /// Takes the calling thread's errno.
    fileprivate init(filing operation: String, _ path: String) {
        let number = errno
        let isFull = [ENOSPC, EDQUOT, EFBIG].contains(number)
        let nextStep =
            switch number {
            case ENOSPC, EDQUOT, EFBIG: "free space there, or lower maximumSizeMiB of the file sink"
            case ENOENT, ENOTDIR: "mount its disk, or make the folder"
            case EACCES, EPERM, EROFS: "make it writable for the user cvr"
            default: "check its disk"
            }
        self.init(
            isFull ? .noSpace : .failed, "\(operation) \(path): \(String(cString: strerror(number)))",
            nextStep: nextStep + "; until then its footage stays in the cache")
    }
}
