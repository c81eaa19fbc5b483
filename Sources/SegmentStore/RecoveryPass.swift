import CLinux
import FragmentedMP4
import Recording

/// One run of recovery over a cache's partials.
struct RecoveryPass {
    let cache: CacheDirectory
    let journal: Journal
    let now: WallTime
    private let tick: () -> Void
    var recovered: [RecoveryReport.Recovered] = []
    var deferred: [SegmentStoreError] = []
    private var unfinished: [JournalState.Unresolved] = []

    /// No crash leaves more than an init part before the first fragment: a larger file without one is damaged.
    private static let largestInitPart: Int64 = 65_536

    init(cache: CacheDirectory, journal: Journal, now: WallTime, tick: @escaping () -> Void) {
        self.tick = tick
        self.cache = cache
        self.journal = journal
        self.now = now
    }

    /// Looks at what the journal calls open.
    mutating func resolveOpen() throws(SegmentStoreError) {
        let cache = cache
        for segment in journal.state.unresolved {
            try resolve(segment.id, openedAt: segment.start) { () throws(SegmentStoreError) in
                try cache.names(of: segment.id, inHourOf: segment.start)
            }
        }
    }

    /// Finds every partial by its name, and what lost records would have said of the last session.
    ///
    /// The last step journals that the journal is complete again: killed before it, the walk is done again.
    mutating func walk() throws(SegmentStoreError) {
        let names = try cache.names()
        let open = Set(names.filter { $0.stage != .closed }.map(\.id)).union(journal.state.unresolved.map(\.id))
        for id in open.sorted() {
            let files = names.filter { $0.id == id }
            try resolve(id, openedAt: files.first?.start ?? now) { files }
        }
        try closeForgottenGap(names)
        var state = journal.state
        state.reach(session: names.map(\.id.session).max() ?? 0)
        if let newest = try cache.newestSegment(ofSession: state.lastSession) {
            let end = endOfMedia(newest)
            state.mediaEnd = max(state.mediaEnd ?? end, end)
        }
        state.isComplete = true
        for segment in unfinished where !state.unresolved.contains(where: { $0.id == segment.id }) {
            state.apply(.segmentOpen(segment.id, start: segment.start))
        }
        try journal.append(.checkpoint(state), at: now)
    }

    /// Media of the last session or a later one behind an open gap: the record that closed it is among the lost ones.
    private func closeForgottenGap(_ names: [SegmentFileName]) throws(SegmentStoreError) {
        let state = journal.state
        guard let gap = state.openGap else { return }
        let later = names.filter { $0.id.session >= state.lastSession && $0.start > gap.from }
        guard let end = later.map(\.start).min() else { return }
        try journal.append(.gapClose(to: end), at: now)
    }

    /// Finds out what became of a segment and journals it; what the disk refuses now is left for the next start.
    mutating func resolve(
        _ id: SegmentID, openedAt start: WallTime, _ files: () throws(SegmentStoreError) -> [SegmentFileName]
    ) throws(SegmentStoreError) {
        var closed: RecoveryReport.Recovered?
        do {
            for name in try files().sorted(by: { $0.stage.rawValue < $1.stage.rawValue }) {
                let found = try name.stage == .closed ? finish(name) : salvage(name)
                closed = closed ?? found
            }
        } catch {
            deferred.append(error)
            unfinished.append(JournalState.Unresolved(id: id, start: start))
            return
        }
        if let closed {
            try journal.append(.recovered(id, end: closed.end, bytes: closed.bytes), at: now)
            recovered.append(closed)
        } else {
            try journal.append(.segmentDiscarded(id), at: now)
        }
        Failpoint.reach(.recoverJournalled)
    }

    /// Closes a partial after its last whole fragment; nil when it has none.
    private func salvage(_ name: SegmentFileName) throws(SegmentStoreError) -> RecoveryReport.Recovered? {
        let hour = try cache.hourDirectory(of: name)
        let file = SegmentFile(try Descriptor(name.leaf, in: hour, O_RDWR | O_NOFOLLOW))
        // Memory may still hold what a failed sync did not bring to the disk.
        if name.stage == .suspect { file.descriptor.forgetCachedBytes() }
        let length = try file.length()
        guard let reader = try read(file, length, verifyChecksums: true) else {
            try length > Self.largestInitPart ? setAside(name, in: hour) : remove(name, in: hour)
            return nil
        }
        guard reader.info.id == name.id, reader.info.camera == cache.camera else {
            try setAside(name, in: hour)
            return nil
        }
        guard !reader.fragments.isEmpty else {
            try remove(name, in: hour)
            return nil
        }
        if !reader.isComplete { try finishBytes(of: file.descriptor, reader) }
        do {
            try file.descriptor.syncData()
        } catch {
            try setAside(name, in: hour)
            throw error
        }
        Failpoint.reach(.recoverSynced)
        let closed = name.with(stage: .closed)
        try hour.rename(name.leaf, toNew: closed.leaf)
        Failpoint.reach(.recoverRenamed)
        try hour.sync()
        Failpoint.reach(.recoverDirectorySynced)
        return RecoveryReport.Recovered(name: closed, end: reader.mediaEndTime ?? name.start, bytes: try file.length())
    }

    /// A segment that was closed or recovered, and not journalled.
    private func finish(_ name: SegmentFileName) throws(SegmentStoreError) -> RecoveryReport.Recovered {
        let hour = try cache.hourDirectory(of: name)
        try hour.sync()
        let file = SegmentFile(try Descriptor(name.leaf, in: hour, O_RDONLY | O_NOFOLLOW))
        let length = try file.length()
        let end = try read(file, length, verifyChecksums: false)?.mediaEndTime ?? name.start
        return RecoveryReport.Recovered(name: name, end: end, bytes: length)
    }

    private func finishBytes(of file: borrowing Descriptor, _ reader: SegmentReader) throws(SegmentStoreError) {
        try file.truncate(to: reader.mediaEnd)
        Failpoint.reach(.recoverTruncated)
        try file.write(reader.trailer(), at: reader.mediaEnd)
        Failpoint.reach(.recoverTrailer)
    }

    private func remove(_ name: SegmentFileName, in hour: borrowing Descriptor) throws(SegmentStoreError) {
        try hour.unlink(name.leaf)
        Failpoint.reach(.recoverUnlinked)
        try hour.sync()
    }

    /// For an operator: nothing here can be played, and nothing here proves that it is worthless.
    private func setAside(_ name: SegmentFileName, in hour: borrowing Descriptor) throws(SegmentStoreError) {
        guard name.stage != .suspect else { return }
        try hour.rename(name.leaf, toNew: name.with(stage: .suspect).leaf)
        try hour.sync()
    }

    private func endOfMedia(_ name: SegmentFileName) -> WallTime {
        do {
            let file = try cache.open(name)
            return try read(file, try file.length(), verifyChecksums: false)?.mediaEndTime ?? name.start
        } catch {
            // The gap then begins where a file that cannot be read does.
            return name.start
        }
    }

    /// Nil when it is no segment; throws when the disk does not let itself be read.
    private func read(
        _ file: SegmentFile, _ length: Int64, verifyChecksums: Bool
    ) throws(SegmentStoreError) -> SegmentReader? {
        do {
            return try SegmentReader(length: length, verifyChecksums: verifyChecksums) {
                tick()
                return try file.read(at: $0, count: $1)
            }
        } catch let error as SegmentStoreError {
            throw error
        } catch {
            return nil
        }
    }
}
