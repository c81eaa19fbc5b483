import CLinux
package import Recording

/// A successor's proof that it can write where its predecessor records: a file of its own, written, synced and removed.
///
/// One that a crash left behind is replaced by the next trial in its slot, or removed by the next start.
package enum TrialFile {
    package static func prove(_ bytes: [UInt8], in cache: CacheDirectory, slot: Slot) throws(SegmentStoreError) {
        let name = name(of: slot)
        let file = try Descriptor(name, in: cache.root, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW)
        do {
            try file.write(bytes, at: 0)
            try file.syncData()
        } catch {
            try? cache.root.unlink(name)  // The first error is the one to report; the next start removes the file.
            throw error
        }
        try cache.root.unlink(name)
    }

    /// Removes what crashed trials left.
    package static func discard(in cache: CacheDirectory) throws(SegmentStoreError) {
        for slot in Slot.allCases { try cache.root.unlink(name(of: slot)) }
    }

    private static func name(of slot: Slot) -> String { "trial.\(slot.rawValue)" }
}
