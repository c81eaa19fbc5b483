import Messages
import Recording
import YAMLConfiguration

/// Shares of the disk for cameras without a budget of their own: by bit rate, moved slowly.
extension Supervisor {
    static let balancePeriod = Duration.seconds(600)

    func keepBalance() async {
        do {
            while true {
                try await Task.sleep(for: Self.balancePeriod)
                pendingInbox.yield(.rebalance)
            }
        } catch {
            // Cancelled: cvrd ends.
        }
    }

    /// Every camera's budget in `box`; 0, which is none, while the disk does not say how large it is: then
    /// `minimumFree` alone makes room.
    func budgets(of box: BoxConfiguration) async -> [CameraName: Int64] {
        let claims = box.cameras.mapValues { camera in
            CacheBudget.Claim(explicit: camera.cacheBudgetBytes, bitsPerSecond: rates[camera.name])
        }
        guard claims.values.contains(where: { $0.explicit == nil }) else {
            return claims.mapValues { $0.explicit ?? 0 }
        }
        let known = budgets
        let look = await disks.look(at: box.cachePath, atMost: .seconds(5)) { CacheBudget.usable(box) }
        guard let usable = look ?? nil else {
            return Dictionary(uniqueKeysWithValues: claims.map { ($0, $1.explicit ?? known[$0] ?? 0) })
        }
        return CacheBudget.shares(usable, among: claims)
    }

    /// Takes a recording camera's rate; the first that is known moves the shares at once.
    func measure(_ name: CameraName, _ progress: WorkerProgress) {
        guard progress.state == .recording, var row = rows[name] else { return }
        let before = row.bitRate.bitsPerSecond
        row.bitRate.add(progress.bitsPerSecond, at: .now)
        rows[name] = row
        guard let rate = row.bitRate.bitsPerSecond else { return }
        rates[name] = rate
        if before == nil, row.configuration.cacheBudgetBytes == nil { pendingInbox.yield(.rebalance) }
    }

    /// Workers and cvr-sync hear of new budgets as of any other limit; what is evicted then is for the rules to say (I3).
    func rebalance() async {
        let fresh = await budgets(of: box)
        guard !isStopping, CacheBudget.isMoved(from: budgets, to: fresh) else { return }
        budgets = fresh
        for camera in box.cameras.values {
            rows[camera.name]?.budget = fresh[camera.name] ?? 0
            await rows[camera.name]?.link.take(cacheBudgetBytes: fresh[camera.name] ?? 0)
        }
        await sync?.link.take(syncConfiguration, storeSecrets)
        events.append("budgetsMoved", "shares of the cache's disk follow the cameras' bit rates")
        let (rates, path) = (rates.filter { box.cameras[$0.key] != nil }, places.bitRates)
        do {
            try await offPool { try BitRateFile.write(rates, path) }
        } catch {
            events.append("stateNotWritten", "\(error)")
        }
    }
}
