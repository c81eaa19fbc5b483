import Catalog
package import Messages
import ObjectStore
package import Recording

/// What an operator asks of the store: what it is billed for, holds, adoption, verification.
extension SyncService {
    package func written() throws -> Admin.Written { try workspace().billed.written }

    /// An operator says that the clock is right: retention goes by it from now on.
    package func acceptClock() throws {
        try ClockGuard(work: try workspace(), progress: progress).accept()
        passSoon()
    }

    package func addHold(
        _ camera: CameraName, from: WallTime, to: WallTime, reason: String
    ) async throws -> Listing.Hold {
        let work = try workspace()
        return try await reachingStore { try await self.holds.add(work, camera, from: from, to: to, reason: reason) }
    }

    package func removeHold(_ id: String) async throws {
        let work = try workspace()
        try await reachingStore { try await self.holds.remove(work, id) }
        // What it covered may go now.
        passSoon()
    }

    package func listHolds(_ camera: CameraName?) async throws -> [Listing.Hold] {
        let work = try workspace()
        return try await reachingStore { try await self.holds.list(work, camera) }
    }

    /// Takes the store over from another box; returns when it is listed, or fails when it goes away meanwhile.
    package func adopt() async throws -> [Listing.AdoptedCamera] {
        let work = try workspace()
        if let hold = progress.current.hold(work.pace) { throw hold }
        try await reachingStore { try await self.holds.adopt(work) }
        // It was refused until a moment ago: nobody waits for its next try.
        progress.update { $0.forgetStore() }
        progress.clear(.store)
        try await untilRebuilt(work)
        return try await holds.finishAdoption(work)
    }

    /// The cameras that a name means, all for none.
    package func verify(
        _ name: CameraName?, isDeep: Bool, limit: StopSwitch, _ tell: @escaping @Sendable (Listing.Verified) -> Void
    ) async throws {
        let work = try workspace()
        let known = try work.catalog.knownCameras()
        if let name, !known.contains(name) {
            throw SyncError(.notFound, "no camera '\(name)' was ever recorded here", nextStep: "see cvrctl cameras")
        }
        try await untilRebuilt(work)
        try await reachingStore {
            try await self.auditor.verify(work, name.map { [$0] } ?? known, isDeep: isDeep, limit: limit, tell)
        }
        // What it asked for is uploaded or deleted.
        passSoon()
    }

    private func untilRebuilt(_ work: Workspace) async throws {
        guard try !Rebuild.isDone(work.catalog) else { return }
        if let hold = progress.current.hold(work.pace) { throw hold }
        try await rebuildPass()
        while try !Rebuild.isDone(work.catalog) {
            try Task.checkCancellation()
            if let hold = progress.current.hold(work.pace) { throw hold }
            guard !isStoreAway else { throw Self.storeAway }
            // The next one comes by itself: one that failed is not asked for again at once.
            try await passEnd()
        }
    }

    private func reachingStore<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as ObjectStoreError {
            guard error.scope == .store, !error.isOfAnotherBox else { throw error }
            throw SyncError(
                .storeUnavailable, "\(error.operation) \(error.thing): \(error.detail)", nextStep: error.nextStep)
        }
    }

    private static let storeAway = SyncError(
        .storeUnavailable, "the store went away", nextStep: "see cvrctl sync status, then try again")
}
