import CLinux
import Checksums
import Crypto
import Glibc
import Recording

/// An open file of the store; closed when it goes.
struct File: ~Copyable {
    private let descriptor: Int32
    private let path: String

    private init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Nil when there is no such file.
    static func open(_ path: String) throws -> File? {
        let descriptor = cvr_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw ObjectStoreError("open", ofObject: path, errno: errno)
        }
        return File(descriptor, path)
    }

    /// Empty, whatever was there.
    static func create(_ path: String) throws -> File {
        let descriptor = cvr_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o640)
        guard descriptor >= 0 else { throw ObjectStoreError("create", path, errno: errno) }
        return File(descriptor, path)
    }

    /// Nil when there is no such file; a folder in its place is an error.
    static func length(_ path: String) throws -> Int64? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw ObjectStoreError("look up", ofObject: path, errno: errno)
        }
        guard status.st_mode & Glibc.S_IFMT == Glibc.S_IFREG else {
            throw ObjectStoreError("look up", path, errno: EISDIR)
        }
        return Int64(status.st_size)
    }

    /// A small file, whole; nil when there is none.
    static func contents(_ path: String, limit: Int) throws -> [UInt8]? {
        guard let file = try open(path) else { return nil }
        return try file.read(offset: 0, count: limit)
    }

    /// Puts a small file in place by rename, synced first.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        let temporary = path + ".tmp"
        do {
            let file = try create(temporary)
            try file.write(bytes)
            try file.sync()
        }
        guard rename(temporary, path) == 0 else { throw ObjectStoreError("store", path, errno: errno) }
    }

    /// Fewer than `count` bytes only at the end.
    func read(offset: Int64, count: Int) throws -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            while filled < buffer.count {
                let target = buffer.baseAddress.map { $0 + filled }
                let got = pread(descriptor, target, buffer.count - filled, off_t(offset) &+ off_t(filled))
                if got > 0 {
                    filled += got
                } else if got == 0 || errno != EINTR {
                    failure = got == 0 ? 0 : errno
                    return
                }
            }
        }
        guard failure == 0 else { throw ObjectStoreError("read", ofObject: path, errno: failure) }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let done = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if done > 0 {
                rest = rest.dropFirst(done)
            } else if done == 0 || errno != EINTR {
                throw ObjectStoreError("write", path, errno: done == 0 ? EIO : errno)
            }
        }
    }

    func sync() throws {
        guard fsync(descriptor) == 0 else { throw ObjectStoreError("sync", path, errno: errno) }
    }

    /// The kernel may keep pages that it must; then they are what it will give everybody.
    func forgetCached() { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }

    func checksum(chunk: Int) throws -> UInt32 {
        var checksum = CRC32C()
        var offset: Int64 = 0
        while true {
            let bytes = try read(offset: offset, count: chunk)
            if bytes.isEmpty { return checksum.value }
            checksum.update(bytes)
            offset += Int64(bytes.count)
        }
    }

    /// SHA-256 of a part of a local file, in hexadecimal.
    static func hash(_ path: String, offset: Int64, count: Int64) throws -> String {
        guard let file = try open(path) else { throw ObjectStoreError(goneFile: path) }
        var hash = SHA256()
        var done: Int64 = 0
        while done < count {
            let bytes = try file.read(offset: offset + done, count: Int(min(256 << 10, count - done)))
            guard !bytes.isEmpty else { throw ObjectStoreError(changedFile: path) }
            hash.update(data: bytes)
            done += Int64(bytes.count)
        }
        return S3Signature.hexadecimal(hash.finalize())
    }
}

enum Directory {
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & Glibc.S_IFMT == Glibc.S_IFDIR
    }

    /// One level; a new entry is synced, so that what is put below it survives a power cut.
    ///
    /// An old one may have been made by a process that died before it did so: see `FileStore.makeFolders`.
    static func create(_ path: String, in parent: String) throws {
        guard mkdir(path, 0o750) == 0 else {
            if errno == EEXIST, Directory.exists(path) { return }
            throw ObjectStoreError("create", path, errno: errno == EEXIST ? ENOTDIR : errno)
        }
        try sync(parent)
    }

    static func sync(_ path: String) throws {
        let descriptor = cvr_open(path, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw ObjectStoreError("open", path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw ObjectStoreError("sync", path, errno: errno) }
    }

    /// Names in a folder, sorted; none when it does not exist.
    static func entries(_ path: String) throws -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw ObjectStoreError("list", path, errno: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw ObjectStoreError("list", path, errno: errno) }
        return names.sorted()
    }
}
