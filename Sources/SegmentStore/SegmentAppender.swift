import CLinux
package import Recording

/// The segment that is being recorded: create, append, sync, close, in the order that survives a power cut.
///
/// Owned by one recording loop. Dropped without `close` it leaves what a crash would: a partial for recovery.
package final class SegmentAppender {
    /// Its stage follows the file: partial, then closed or suspect.
    package private(set) var name: SegmentFileName
    /// Up to the end of the last whole fragment.
    package private(set) var length: Int64
    private let file: Descriptor
    private let hour: Descriptor
    private let cache: CacheDirectory
    private var failure: SegmentStoreError?

    /// A sync failed: the only thing left to do is `setAside()`.
    package var isFailed: Bool { failure != nil }

    /// Journals the intent, creates the partial with its init part and makes both durable.
    ///
    /// Without space nothing is left behind but the record, and the next try in the same hour needs no other.
    package init(
        in cache: CacheDirectory, start: WallTime, id: SegmentID, initPart: [UInt8], journal: Journal, now: WallTime
    ) throws(SegmentStoreError) {
        let name = SegmentFileName(start: start, id: id, stage: .partial)
        if !journal.state.unresolved.contains(where: { $0.id == id && name.sharesHour(with: $0.start) }) {
            try journal.append(.segmentOpen(id, start: start), at: now)
        }
        let made = try Self.createPartial(name, in: cache)
        do {
            Failpoint.reach(.createPartial)
            try made.file.write(initPart, at: 0)
            Failpoint.reach(.createInit)
            try made.file.syncData(timedBy: cache)
            Failpoint.reach(.createInitSynced)
            try cache.syncDirectories(of: name, hour: made.hour)
            Failpoint.reach(.createDirectoriesSynced)
        } catch {
            // The first error is the one to report; recovery removes the file if this does not.
            try? made.hour.unlink(name.leaf)
            throw error
        }
        self.cache = cache
        self.name = name
        length = Int64(initPart.count)
        hour = made.hour
        file = made.file
    }

    /// Adds a whole fragment by one write; on an error the file is as before.
    package func append(_ fragment: [UInt8]) throws(SegmentStoreError) {
        if let failure { throw failure }
        do {
            try file.write(fragment, at: length)
        } catch {
            try? file.truncate(to: length)  // What stays is cut by the next append or by recovery.
            throw error
        }
        Failpoint.reach(.appendWritten)
        length += Int64(fragment.count)
    }

    /// Makes what was appended durable; after an error the only thing left to do is `setAside()`.
    package func sync() throws(SegmentStoreError) {
        try once { () throws(SegmentStoreError) in try file.syncData(timedBy: cache) }
        Failpoint.reach(.appendSynced)
    }

    /// Closes the segment; that it is closed is the caller's to journal.
    ///
    /// Without space for the trailer it stays open, and closing can be tried again. After any other error:
    /// `setAside()`.
    package func close(trailer: [UInt8]) throws(SegmentStoreError) -> SegmentFileName {
        if let failure { throw failure }
        do {
            try file.write(trailer, at: length)
        } catch {
            try? file.truncate(to: length)  // As in `append`.
            throw error
        }
        Failpoint.reach(.closeTrailer)
        try once { () throws(SegmentStoreError) in
            try file.syncData(timedBy: cache)
            Failpoint.reach(.closeSynced)
            let closed = name.with(stage: .closed)
            try hour.rename(name.leaf, toNew: closed.leaf)
            name = closed
            Failpoint.reach(.closeRenamed)
            try hour.sync(timedBy: cache)
            Failpoint.reach(.closeDirectorySynced)
        }
        return name
    }

    /// After a failed sync: keeps the file as `.suspect`.
    ///
    /// The journal does not say that it was closed, so the next recovery reads it back from the disk.
    package func setAside() throws(SegmentStoreError) {
        failure = failure ?? SegmentStoreError(operation: "append to", path: file.path, errno: EIO)
        let suspect = name.with(stage: .suspect)
        try hour.rename(name.leaf, toNew: suspect.leaf)
        name = suspect
        Failpoint.reach(.setAsideRenamed)
        try hour.sync()
    }

    /// An error of `body` is final: the kernel reports a lost write once, a retry would succeed without the data.
    private func once(_ body: () throws(SegmentStoreError) -> Void) throws(SegmentStoreError) {
        if let failure { throw failure }
        do {
            try body()
        } catch {
            failure = error
            throw error
        }
    }

    /// Creates the file and its directories; cvr-sync may remove an empty directory in between.
    private static func createPartial(
        _ name: SegmentFileName, in cache: CacheDirectory
    ) throws(SegmentStoreError) -> NewFile {
        var attempt = 1
        while true {
            do {
                let hour = try cache.makeHourDirectory(of: name)
                Failpoint.reach(.createDirectories)
                let file = try Descriptor(name.leaf, in: hour, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
                return NewFile(hour: hour, file: file)
            } catch {
                guard error.errno == ENOENT, attempt < 3 else { throw error }
                attempt += 1
            }
        }
    }

    private struct NewFile: ~Copyable {
        let hour: Descriptor
        let file: Descriptor
    }
}

extension SegmentFileName {
    fileprivate func sharesHour(with other: WallTime) -> Bool {
        let there = SegmentFileName(start: other, id: id)
        return there.day == day && there.hour == hour
    }
}
