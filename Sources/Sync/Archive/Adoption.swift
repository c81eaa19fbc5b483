import Catalog
import Footage
import Messages
import ObjectStore
import Recording
import SegmentStore

/// A lost box's assets become those of new hardware, from the store alone.
///
/// The mark is taken over; the store is listed into the catalog; the time between the two boxes is put on record as a gap.
/// Each step may be killed and run again with the same result. What this box recorded before is kept beside what the
/// other one numbered alike (`Placement`).
struct Adoption {
    let work: Workspace

    /// The store is this box's, and is listed anew.
    func begin() throws {
        try StoreIdentity(work: work).takeOver()
        try Rebuild.restart(work.catalog)
    }

    /// Once it is listed: the gaps, and the numbers that new sessions must be above.
    func finish() throws -> [Listing.AdoptedCamera] {
        try work.catalog.knownCameras().map { camera in
            try enterGap(camera)
            return Listing.AdoptedCamera(name: camera.text, session: try work.catalog.highestSession(camera))
        }
    }

    /// From the end of what the other box stored to the beginning of what this one recorded; a gap that the other one
    /// told of is its own explanation.
    private func enterGap(_ camera: CameraName) throws {
        guard try CacheIdentity.check(camera, work.settings) else { return }
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        let start = try cache.listing().map(\.name.start).min() ?? work.clock.now()
        guard let end = try work.catalog.endOfStored(camera, before: start), end < start,
            try work.catalog.gaps(camera, from: end, to: start).isEmpty
        else { return }
        // In the cache before the catalog: this is no more to be found in the store.
        try Ledger(cache: cache.path).append(.replaced(from: end.microseconds, to: start.microseconds))
        try work.catalog.enterGap(Gap(replacingBoxFrom: end, to: start), session: 0, camera)
    }
}
