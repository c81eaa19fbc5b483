package import Recording

/// A process as a lock file names it.
package struct LockHolder: Hashable, Sendable {
    package var pid: Int32
    /// Field 22 of `/proc/<pid>/stat`.
    package var startTime: UInt64
    package var bootID: String
    package var build: String
    package var protocolVersion: Int
}

/// The right to record a camera in a slot: held until it is dropped or the process ends, however it ends.
package final class SlotLock {
    /// Who held it before; nil when nobody did, or cannot be told.
    package let predecessor: LockHolder?

    /// Throws `EWOULDBLOCK` when another process holds it.
    package static func acquire(
        in cache: CacheDirectory, slot: Slot, build: String, protocolVersion: Int
    ) throws(SegmentStoreError) -> SlotLock { SlotLock(predecessor: nil) }

    init(predecessor: LockHolder?) { self.predecessor = predecessor }

    /// The live process that holds a slot's lock; nil when there is none.
    package static func holder(in cache: CacheDirectory, slot: Slot) throws(SegmentStoreError) -> LockHolder? { nil }
}
