import Catalog
import Foundation
package import Messages
import ObjectStore
package import Recording
import SegmentStore

/// The part of cvr-sync that places and lifts legal holds and takes a store over, beside a pass that may be under way.
package actor HoldKeeper {
    private static let longestReason = 400

    private let executor = BlockingExecutor("holds")

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init() {}

    /// Places a hold: on return it is in the store, and whatever it covers that was not given up before stays.
    ///
    /// The catalog is told first, so that nothing goes while the store is written to, and again after, for a pass that
    /// read the store's holds meanwhile.
    package func add(
        _ work: Workspace, _ camera: CameraName, from: WallTime, to: WallTime, reason: String
    ) throws -> Listing.Hold {
        guard from < to else {
            throw SyncError(
                .invalidArgument, "--to is not later than --from", nextStep: "Give the earlier time as --from")
        }
        try expect(camera, work)
        let hold = HoldRow(
            id: UUID().uuidString.lowercased(), camera: camera, asset: try work.policy(camera).asset, from: from,
            to: to,
            reason: String(reason.prefix(Self.longestReason)), created: work.clock.now())
        guard let key = DocumentKey(.hold(asset: hold.asset, id: hold.id), of: work.settings.site) else {
            throw SyncError.argument("asset", hold.asset)
        }
        try reachStore(work)
        try work.catalog.save(hold)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = Array(try encoder.encode(hold.document)) + [UInt8(ascii: "\n")]
        // Of an outcome that is not known the next reading of the store's holds decides.
        _ = try work.store.putDocument(bytes, as: key, if: .absent)
        try work.catalog.save(hold)
        try Holds(work: work, camera: camera).publish()
        work.tell("holdPlaced", camera, "\(hold.from.rfc3339) to \(hold.to.rfc3339), \(hold.id)")
        return Listing.Hold(hold)
    }

    /// Lifts a hold: what is too old goes with the next retention.
    package func remove(_ work: Workspace, _ id: String) throws {
        try reachStore(work)
        if try work.catalog.hold(id) == nil { try refresh(work) }
        guard let hold = try work.catalog.hold(id),
            let key = DocumentKey(.hold(asset: hold.asset, id: hold.id), of: work.settings.site)
        else { throw SyncError(.notFound, "there is no hold of that id", nextStep: "See `cvrctl hold list`") }
        try work.store.deleteDocument(key)
        try work.catalog.removeHold(id)
        try Holds(work: work, camera: hold.camera).publish()
        work.tell("holdLifted", hold.camera, "\(hold.from.rfc3339) to \(hold.to.rfc3339), \(hold.id)")
    }

    /// What the store holds now, of one camera or of all.
    package func list(_ work: Workspace, _ camera: CameraName?) throws -> [Listing.Hold] {
        if let camera { try expect(camera, work) }
        try reachStore(work)
        try refresh(work)
        return try work.catalog.holds(camera).map { Listing.Hold($0) }
    }

    /// Takes the store over; what it holds is listed by the passes that follow.
    package func adopt(_ work: Workspace) throws { try Adoption(work: work).begin() }

    package func finishAdoption(_ work: Workspace) throws -> [Listing.AdoptedCamera] {
        try Adoption(work: work).finish()
    }

    private func expect(_ camera: CameraName, _ work: Workspace) throws {
        guard try work.catalog.camera(camera) == nil, work.settings.cameras[camera] == nil else { return }
        throw SyncError(.notFound, "no camera '\(camera)' was ever recorded here", nextStep: "see cvrctl cameras")
    }

    private func refresh(_ work: Workspace) throws {
        for camera in try work.catalog.knownCameras() { try Holds(work: work, camera: camera).refresh() }
    }

    private func reachStore(_ work: Workspace) throws { try StoreIdentity(work: work).prepare() }
}

extension Listing.Hold {
    init(_ hold: HoldRow) {
        self.init(
            id: hold.id, camera: hold.camera.text, from: hold.from.rfc3339, to: hold.to.rfc3339, reason: hold.reason,
            created: hold.created.rfc3339)
    }
}
