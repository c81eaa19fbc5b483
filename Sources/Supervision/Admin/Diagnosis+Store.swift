package import Messages
package import Recording

/// Findings about where footage goes: the store, and whether it and the cache's disk have the room.
extension Diagnosis {
    package static func store(_ sync: Admin.Sync) -> Check {
        let words = sync.lastError.map { ": \($0.message)" } ?? ""
        let nextStep = sync.lastError?.nextStep
        if sync.state == "away" {
            return Check(
                "store", .failed, "cvr-sync is away, nothing is stored\(words)",
                nextStep: nextStep ?? "Find out why it does not keep running (journalctl -u cvrd)")
        }
        if sync.breaker != "closed" {
            return Check(
                "store", .failed, "the store cannot be reached\(words)",
                nextStep: nextStep ?? "Check store.url and its mount")
        }
        if sync.lastError != nil {
            return Check("store", .warning, "uploads run, with errors\(words)", nextStep: nextStep ?? "")
        }
        let waiting =
            sync.lag > 0 ? "; the oldest segment has waited \(duration(sync.lag))" : ", and nothing waits"
        if let lacks = sync.store?.lacks, !lacks.isEmpty {
            return Check(
                "store", .warning, "footage is stored\(waiting); but \(lacks.joined(separator: "; "))",
                nextStep: "Update the store's software, or expect requests that cvrctl cost does not forecast")
        }
        return Check("store", .ok, "footage is stored\(waiting)")
    }

    /// What a file system says of its size.
    package struct Disk: Hashable, Sendable {
        package var total: Double
        package var available: Double

        package init(total: Double, available: Double) {
            self.total = total
            self.available = available
        }
    }

    /// What the cameras that are recorded send, and for how long it is kept.
    package struct Demand: Hashable, Sendable {
        package var bitsPerSecond: Double
        /// Nil keeps for ever.
        package var retention: TimeSpan?

        package init(bitsPerSecond: Double, retention: TimeSpan?) {
            self.bitsPerSecond = bitsPerSecond
            self.retention = retention
        }
    }

    /// A store that is kept for ever needs this much time, at least, for somebody to act.
    private static let leastNotice = 7 * 86_400.0

    /// Of a `file:` store; nil while no bit rate is known.
    package static func storeSpace(_ disk: Disk, _ demands: [Demand]) -> Check? {
        let rate = demands.reduce(0) { $0 + $1.bitsPerSecond / 8 }
        guard rate > 0 else { return nil }
        let kept = demands.compactMap { demand in demand.retention.map { demand.bitsPerSecond / 8 * $0.seconds } }
        let needed = kept.reduce(0, +)
        let nextStep = "Shorten retention, lower bit rates, or give the store a larger disk"
        if needed > disk.total {
            return Check(
                "storeSpace", .failed,
                "retention needs \(mebibytes(needed)), the store's disk has \(mebibytes(disk.total)): it is full after "
                    + duration(disk.total / rate), nextStep: nextStep)
        }
        let left = disk.available / rate
        if kept.count < demands.count, left < leastNotice {
            return Check(
                "storeSpace", .warning,
                "footage that is kept for ever fills the store's disk in \(duration(left))",
                nextStep: "Set a retention. " + nextStep)
        }
        let kind = kept.isEmpty ? "footage is kept for ever" : "retention needs \(mebibytes(needed))"
        return Check(
            "storeSpace", .ok,
            "\(kind), the store's disk has \(mebibytes(disk.total)); what is free lasts \(duration(left))")
    }

    /// The budgets of all cameras against the cache's disk.
    package static func cacheSpace(
        _ disk: Disk, budgets: [Int64], cacheBytes: Int64, minimumFreePercent: Double
    ) -> Check {
        let promised = budgets.reduce(0) { $0 + Double(max($1, 0)) }
        let reserve = disk.total * minimumFreePercent / 100
        let room = disk.available + Double(cacheBytes) - reserve
        guard promised > room else {
            return Check(
                "cacheSpace", .ok, "the cameras' budgets take \(mebibytes(promised)) of \(mebibytes(disk.total))")
        }
        return Check(
            "cacheSpace", .warning,
            "the cameras' budgets promise \(mebibytes(promised)), the disk has room for \(mebibytes(max(room, 0)))",
            nextStep: "Lower localMediaCacheMaximumSizeMiB, or remove other files from the disk")
    }

    // MARK: Words

    static func tenths(_ value: Double) -> String {
        let tenths = Int64(min(max(value * 10, 0), 1e15).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    static func mebibytes(_ bytes: Double) -> String {
        let mebibytes = Int64(min(max(bytes, 0), 1e18) / 1_048_576)
        return mebibytes < 10_240 ? "\(mebibytes) MiB" : "\(mebibytes / 1024) GiB"
    }

    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(Int64(max(seconds, 0))) s"
        case ..<7200: "\(Int64(seconds / 60)) min"
        case ..<172_800: "\(Int64(seconds / 3600)) h"
        default: "\(Int64(min(seconds, 1e15) / 86_400)) days"
        }
    }
}
