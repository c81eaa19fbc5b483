import CLinux
package import Recording

/// The right to record a camera in a slot: held until it is dropped or the process ends, however it ends.
package final class SlotLock: Sendable {
    /// Who held it before; nil when nobody did, or it cannot be told.
    package let predecessor: LockHolder?
    private let file: Descriptor

    /// Throws `EWOULDBLOCK` when another process holds it.
    ///
    /// The file that says who holds it is locked first and then renamed into place: whoever reads the name sees a
    /// whole line, and whoever locked the file that had the name finds that it has lost it.
    package init(
        in cache: CacheDirectory, slot: Slot, build: String, protocolVersion: Int64
    ) throws(SegmentStoreError) {
        let name = "lock.\(slot.rawValue)"
        let current = try Self.lockNamedFile(name, in: cache)
        let previous = try current.read(at: 0, count: LockHolder.lineLength)
        predecessor = LockHolder(line: previous)
        let line = LockHolder(build: build, protocolVersion: protocolVersion).line
        do {
            file = try Self.replace(name, by: line, in: cache)
        } catch {
            // A full disk must not stop a recording that may free it; here a reader may see a line that is no
            // process's, which is as if nobody held the lock.
            guard error.isNoSpace, previous.count == line.count else { throw error }
            try current.write(line, at: 0)
            file = current
        }
    }

    deinit { file.unlock() }

    /// True while a process holds a slot's lock.
    ///
    /// By trying it: for a worker that starts, and must find the other slot free; for one that hands over, and must
    /// know that somebody takes it.
    package static func isHeld(in cache: CacheDirectory, slot: Slot) throws(SegmentStoreError) -> Bool {
        do {
            let file = try Descriptor("lock.\(slot.rawValue)", in: cache.root, O_RDWR | O_NOFOLLOW)
            try file.lockExclusively()
            file.unlock()
            return false
        } catch {
            if error.errno == EWOULDBLOCK { return true }
            guard error.errno == ENOENT else { throw error }
            return false
        }
    }

    /// The live process that holds a slot's lock; nil when there is none.
    ///
    /// Asks `/proc`, not the lock: a trial lock could make a starting worker believe that it has a rival.
    package static func holder(in cache: CacheDirectory, slot: Slot) throws(SegmentStoreError) -> LockHolder? {
        try lastHolder(in: cache, slot: slot).flatMap { $0.isAlive ? $0 : nil }
    }

    /// The process that held a slot's lock last, whether or not it lives.
    package static func lastHolder(in cache: CacheDirectory, slot: Slot) throws(SegmentStoreError) -> LockHolder? {
        do {
            let file = try Descriptor("lock.\(slot.rawValue)", in: cache.root, O_RDONLY | O_NOFOLLOW)
            return LockHolder(line: try file.read(at: 0, count: LockHolder.lineLength))
        } catch {
            guard error.errno == ENOENT else { throw error }
            return nil
        }
    }

    /// Locks the file that has the name once it is locked.
    private static func lockNamedFile(_ name: String, in cache: CacheDirectory) throws(SegmentStoreError) -> Descriptor
    {
        for _ in 0..<16 {
            let file = try Descriptor(name, in: cache.root, O_RDWR | O_CREAT | O_NOFOLLOW)
            try file.lockExclusively()
            var (mine, named) = (stat(), stat())
            guard fstat(file.raw, &mine) == 0 else { throw .last("examine", file.path) }
            if fstatat(cache.root.raw, name, &named, AT_SYMLINK_NOFOLLOW) == 0, mine.st_ino == named.st_ino {
                return file
            }
        }
        throw SegmentStoreError(operation: "lock", path: cache.path + "/" + name, errno: EWOULDBLOCK)
    }

    private static func replace(
        _ name: String, by line: [UInt8], in cache: CacheDirectory
    ) throws(SegmentStoreError) -> Descriptor {
        let new = try Descriptor(name + ".new", in: cache.root, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW)
        try new.lockExclusively()
        try new.write(line, at: 0)
        try cache.root.rename(name + ".new", over: name)
        return new
    }
}

extension Descriptor {
    /// Takes flock(2); throws `EWOULDBLOCK` at once when it is taken.
    func lockExclusively() throws(SegmentStoreError) {
        guard flock(raw, LOCK_EX | LOCK_NB) == 0 else {
            throw SegmentStoreError(
                operation: "lock", path: path, errno: cvr_errno(),
                nextStep: "another worker records this camera: stop it; its pid is in the camera's lock files")
        }
    }
    /// At once: closing would leave it to a copy in a child between fork and exec.
    func unlock() { _ = flock(raw, LOCK_UN) }
}
