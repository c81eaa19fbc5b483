import Glibc
package import Recording
import YAMLConfiguration

/// How much of its disk a camera may use when nobody says: what the others leave, shared by bit rate (design §7), so
/// that all of them keep footage for the same time.
package enum CacheBudget {
    /// What one camera's share depends on.
    package struct Claim: Hashable, Sendable {
        /// `localMediaCacheMaximumSizeMiB`.
        var explicit: Int64?
        /// Nil while it is not known.
        var bitsPerSecond: Double?

        package init(explicit: Int64? = nil, bitsPerSecond: Double? = nil) {
            self.explicit = explicit
            self.bitsPerSecond = bitsPerSecond
        }
    }

    /// Every camera's budget, of `usable` bytes; whole MiB.
    ///
    /// A camera whose rate is not known counts with the mean of the others. Where explicit budgets promise more than
    /// there is, the rest still share a quarter of what would be theirs evenly: a budget of nothing loses footage
    /// before the store can have it, and free space is `minimumFree`'s to keep.
    package static func shares(_ usable: Int64, among claims: [CameraName: Claim]) -> [CameraName: Int64] {
        let explicit = claims.values.compactMap(\.explicit).reduce(0) { $0 + Double(max($1, 0)) }
        let sharers = claims.filter { $0.value.explicit == nil }
        let even = Double(max(usable, 0)) * Double(sharers.count) / Double(max(claims.count, 1))
        let rest = max(Double(usable) - explicit, even / 4)
        let rates = bounded(sharers.compactMapValues { $0.bitsPerSecond.flatMap(BitRateMean.plausible) })
        let mean = rates.isEmpty ? 1 : rates.values.reduce(0, +) / Double(rates.count)
        let sum = sharers.keys.reduce(0) { $0 + (rates[$1] ?? mean) }
        return Dictionary(
            uniqueKeysWithValues: claims.map { name, claim in
                if let explicit = claim.explicit { return (name, explicit) }
                let mebibytes = rest * ((rates[name] ?? mean) / sum) / 1_048_576
                return (name, Int64(min(max(mebibytes, 1), 1e12)) << 20)
            })
    }

    /// Within an eighth and eight times the middle one: no camera's noise, or lie, takes its neighbours' footage (I1).
    private static func bounded(_ rates: [CameraName: Double]) -> [CameraName: Double] {
        guard !rates.isEmpty else { return rates }
        let middle = rates.values.sorted()[rates.count / 2]
        return rates.mapValues { min(max($0, middle / 8), middle * 8) }
    }

    /// True when some budget would move by more than a tenth: less is not worth telling anybody.
    package static func isMoved(from old: [CameraName: Int64], to new: [CameraName: Int64]) -> Bool {
        guard old.keys == new.keys else { return true }
        return new.contains { name, budget in
            let before = Double(old[name] ?? 0)
            return abs(Double(budget) - before) > before / 10
        }
    }

    /// What recording may use of the cache's disk: half of it when the store is there too; nil when it does not say.
    ///
    /// Blocks on the cache's disk, never on the store's: that is whose absence must not keep a camera from starting
    /// (I5).
    static func usable(_ box: BoxConfiguration) -> Int64? {
        guard let disk = facts(box.cachePath) else { return nil }
        let mounts = MountTable.current()
        let isShared =
            box.store.location.folder.map { mounts.device(of: $0) == mounts.device(of: box.cachePath) } ?? false
        let total = Double(disk.f_blocks) * Double(disk.f_frsize)
        let usable = total * (1 - box.minimumFreePercent / 100) / (isShared ? 2 : 1)
        return Int64(min(max(usable, 0), 1e18))
    }

    /// Of the nearest directory above `path` that exists.
    static func facts(_ path: String) -> statvfs? {
        var path = path[...]
        while true {
            var disk = statvfs()
            if statvfs(path.isEmpty ? "/" : String(path), &disk) == 0 { return disk }
            guard let slash = path.lastIndex(of: "/") else { return nil }
            path = path[..<slash]
        }
    }
}
