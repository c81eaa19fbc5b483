internal import CLinux
internal import Recording
internal import SegmentStore

/// Keeps a cache within its budget and its disk while cvr-sync, whose work that is, does not (I7).
struct RoomMaker {
    /// Sync touches its heartbeat every second; silent for longer than this, it is away.
    static let patience = TimeSpan.seconds(5)

    var budget: Int64
    var dropsOldest: Bool
    var heartbeatPath: String
    private let cache: CacheDirectory
    private var held: (bytes: Int64, at: MonotonicTime)?
    private var heartbeat: Int64?
    private var heartbeatChanged: MonotonicTime?

    init(cache: CacheDirectory, budget: Int64, dropsOldest: Bool, heartbeatPath: String) {
        self.cache = cache
        self.budget = budget
        self.dropsOldest = dropsOldest
        self.heartbeatPath = heartbeatPath
    }

    /// Looks at the heartbeat; call it every second.
    ///
    /// Only whether it changes counts, by the monotonic clock: a set wall clock must not make sync look away (I11).
    mutating func watch(_ now: MonotonicTime) {
        var status = stat()
        let changed: Int64? =
            stat(heartbeatPath, &status) == 0
            ? Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec) : nil
        if heartbeatChanged == nil || (changed != nil && changed != heartbeat) { heartbeatChanged = now }
        heartbeat = changed ?? heartbeat
    }

    func isSyncSilent(_ now: MonotonicTime) -> Bool {
        guard let heartbeatChanged else { return false }
        return now - heartbeatChanged > Self.patience
    }

    /// Unlinks the oldest segments until `bytes` more fit on the disk; throws when they still do not.
    ///
    /// `isRefused`: the disk took nothing, whatever it says of its free space (quotas, inodes).
    func makeSpace(
        _ bytes: Int64, isRefused: Bool = false, journal: Journal, wall: WallTime, now: MonotonicTime
    ) throws(SegmentStoreError) {
        let missing = isRefused ? bytes : bytes - (try cache.freeSpace().available)
        guard missing > 0 else { return }
        guard isSyncSilent(now) else { throw Self.full(cache.path) }
        let freed = try evict(missing, verified: .diskFull, other: .diskFull, journal: journal, wall: wall)
        guard freed >= missing else { throw Self.full(cache.path) }
    }

    /// Keeps the cache within its budget; throws when it is over and may not drop what is not verified, or is held.
    func keepBudget(journal: Journal, wall: WallTime, now: MonotonicTime) throws(SegmentStoreError) {
        let held = dropsOldest ? try HeldRanges.read(in: cache) : []
        // The budget is then sync's alone to keep: no reason to count a cache of a hundred thousand files.
        guard budget > 0, !dropsOldest || !held.isEmpty || isSyncSilent(now) else { return }
        var over = try cache.totals().bytes - budget
        guard over > 0 else { return }
        if isSyncSilent(now) {
            over -= try evict(over, verified: .verified, other: .budget, journal: journal, wall: wall)
        }
        guard over > 0, !dropsOldest || !held.isEmpty, try oldestEvictable() == nil else { return }
        if dropsOldest, try droppable(held).first != nil { return }
        throw SegmentStoreError(
            operation: "record into", path: cache.path, errno: EDQUOT,
            nextStep: "bring the store back, raise localMediaCacheMaximumSizeMiB or set cacheFull: dropOldest")
    }

    /// What a camera that drops nothing holds while none of it may go, as of half a minute ago at most.
    mutating func unyielding(_ now: MonotonicTime) -> Int64 {
        guard budget > 0, !dropsOldest else { return 0 }
        if let held, now - held.at < .seconds(30) { return held.bytes }
        // A cache that cannot be listed says so when it is recorded into.
        let bytes = (try? oldestEvictable() == nil ? cache.totals().bytes : 0) ?? 0
        held = (bytes, now)
        return bytes
    }

    /// A segment that sync may evict: then room is on its way.
    private func oldestEvictable() throws(SegmentStoreError) -> SegmentFileName? {
        guard let watermark = try EvictableWatermark.read(in: cache) else { return nil }
        return try cache.listing().first { $0.name.stage == .closed && $0.name.id <= watermark }?.name
    }

    /// Closed segments that no hold keeps, oldest first.
    private func droppable(
        _ held: [Range<WallTime>]
    ) throws(SegmentStoreError) -> [(name: SegmentFileName, bytes: Int64)] {
        let listing = try cache.listing()
        let next = listing.dropFirst().map { SegmentFileName?.some($0.name) } + [nil]
        return zip(listing, next).filter { $0.name.stage == .closed && !$0.name.isHeld(by: held, before: $1) }.map {
            $0.0
        }
    }

    private func evict(
        _ bytes: Int64, verified: EvictionReason, other: EvictionReason, journal: Journal, wall: WallTime
    ) throws(SegmentStoreError) -> Int64 {
        let watermark = try EvictableWatermark.read(in: cache)
        let held = dropsOldest ? try HeldRanges.read(in: cache) : []
        var freed: Int64 = 0
        // What is verified may go whoever holds it: the store has it.
        let listing = try cache.listing().filter { $0.name.stage == .closed }
        let droppable = dropsOldest ? Set(try droppable(held).map(\.name)) : []
        for (name, size) in listing where freed < bytes {
            let isVerified = watermark.map { name.id <= $0 } ?? false
            guard isVerified || dropsOldest else { break }
            guard isVerified || droppable.contains(name) else { continue }
            let reason = isVerified ? verified : other
            try Eviction.evict(name, because: reason, in: cache, journal: journal, now: wall)
            freed += size
        }
        return freed
    }

    private static func full(_ path: String) -> SegmentStoreError {
        SegmentStoreError(operation: "record into", path: path, errno: ENOSPC)
    }
}
