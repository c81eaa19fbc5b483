import CLinux

/// An open file or directory: closes with its owner.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32
    /// For messages only: every call goes by descriptor.
    let path: String

    deinit { close(raw) }

    /// Opens `name` relative to `directory` (nil: to the working directory).
    init(
        _ name: String, in directory: borrowing Descriptor, _ flags: Int32, mode: mode_t = 0o640
    ) throws(SegmentStoreError) {
        let path = directory.path + "/" + name
        raw = try retried("open", path) { cvr_openat(directory.raw, name, flags, mode) }
        self.path = path
    }

    init(directory path: String) throws(SegmentStoreError) {
        raw = try retried("open", path) { cvr_open(path, O_RDONLY | O_DIRECTORY, 0) }
        self.path = path
    }

    /// Writes all bytes at an offset, by one call unless the system breaks it up.
    func write(_ bytes: [UInt8], at offset: Int64) throws(SegmentStoreError) {
        var done = 0
        while done < bytes.count {
            let written = try retried("write", path) {
                bytes.withUnsafeBytes {
                    pwrite(raw, $0.baseAddress?.advanced(by: done), $0.count - done, off_t(offset) + done)
                }
            }
            // POSIX allows 0 for a regular file only when nothing was asked for.
            guard written > 0 else { throw SegmentStoreError(operation: "write", path: path, errno: EIO) }
            done += written
        }
    }

    /// Fewer bytes than asked for only at the end of the file.
    func read(at offset: Int64, count: Int) throws(SegmentStoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        var done = 0
        while done < bytes.count {
            let position = offset.addingReportingOverflow(Int64(done)).partialValue
            let got = try retried("read", path) {
                bytes.withUnsafeMutableBytes {
                    pread(raw, $0.baseAddress?.advanced(by: done), $0.count - done, off_t(position))
                }
            }
            if got == 0 { break }
            done += got
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }

    /// Makes data and length durable; never to be called again after it failed: the kernel forgets what it lost.
    func syncData() throws(SegmentStoreError) {
        guard fdatasync(raw) == 0 else { throw .last("sync", path) }
    }

    /// For directories: makes names durable.
    func sync() throws(SegmentStoreError) {
        guard fsync(raw) == 0 else { throw .last("sync", path) }
    }

    func truncate(to length: Int64) throws(SegmentStoreError) {
        _ = try retried("truncate", path) { ftruncate(raw, off_t(length)) }
    }

    func length() throws(SegmentStoreError) -> Int64 {
        var status = stat()
        _ = try retried("examine", path) { fstat(raw, &status) }
        return Int64(status.st_size)
    }

    /// Drops what memory holds of the file, so that the next read is from the disk; unwritten data stays.
    func forgetCachedBytes() { _ = posix_fadvise(raw, 0, 0, POSIX_FADV_DONTNEED) }

    /// Names in a directory, without `.` and `..`, in no order.
    ///
    /// At most 65,536: an hour of 2 s segments has 1,800.
    func entries() throws(SegmentStoreError) -> [String] {
        let copy = try retried("open", path) { cvr_openat(raw, ".", O_RDONLY | O_DIRECTORY, 0) }
        guard let stream = fdopendir(copy) else {
            let error = SegmentStoreError.last("list", path)
            close(copy)
            throw error
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            cvr_clear_errno()
            guard let entry = readdir(stream) else {
                guard cvr_errno() == 0 else { throw .last("list", path) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            guard names.count < 65_536 else {
                throw SegmentStoreError(
                    operation: "list", path: path, errno: EOVERFLOW,
                    nextStep: "remove the files that do not belong there")
            }
            names.append(name)
        }
    }

    /// Removes a file; one that is gone already is no error.
    func unlink(_ name: String) throws(SegmentStoreError) {
        guard unlinkat(raw, name, 0) == 0 || cvr_errno() == ENOENT else { throw .last("unlink", path + "/" + name) }
    }

    /// Renames within the directory and never replaces a file: what is closed does not change (I8).
    func rename(_ name: String, toNew newName: String) throws(SegmentStoreError) {
        guard cvr_rename_new(raw, name, newName) != 0 else { return }
        // A file system without the flag; the callers' names are unique by session and counter.
        guard cvr_errno() == EINVAL else { throw .last("rename", path + "/" + name) }
        try rename(name, over: newName)
    }

    /// Renames within the directory, replacing what is there.
    func rename(_ name: String, over newName: String) throws(SegmentStoreError) {
        guard renameat(raw, name, raw, newName) == 0 else { throw .last("rename", path + "/" + name) }
    }
}

extension SegmentStoreError {
    /// Takes the calling thread's errno.
    static func last(_ operation: String, _ path: String) -> SegmentStoreError {
        SegmentStoreError(operation: operation, path: path, errno: cvr_errno())
    }
}

/// Repeats a call that a signal interrupted; throws when it answers with less than 0.
private func retried<Result: SignedInteger>(
    _ operation: String, _ path: String, _ call: () -> Result
) throws(SegmentStoreError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        guard cvr_errno() == EINTR else { throw .last(operation, path) }
    }
}
