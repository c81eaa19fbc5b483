import Catalog
import ObjectStore
import Recording

/// Finds a stored object's place in the catalog, where another segment may have its number.
///
/// Two boxes that recorded one camera, or a cache that was restored, may have numbered two segments alike. Both are
/// listed; the earlier one under a number of the catalog's own.
struct Placement {
    enum Place: Hashable {
        /// The catalog needs nothing more of this object: the cache has the segment, or it was entered before.
        case known
        /// Where it is to be entered.
        case free(SegmentID)
    }

    let work: Workspace

    /// As `take`, and changes nothing that is known of other segments.
    func find(_ key: ObjectKey, _ camera: CameraName, _ id: SegmentID) throws -> Place {
        guard let place = try work.catalog.place(camera, id, startingAt: key.start) else {
            throw ObjectStoreError(
                "enter", key.text, detail: "its number \(id.session).\(id.counter) is used too often",
                nextStep: "look at what wrote it", scope: .object)
        }
        guard let known = try work.catalog.segment(camera, place) else { return .free(place) }
        if known.isLocal {
            try work.catalog.noteStored(camera, place, key: key.text)
            return .known
        }
        return known.state == .verified && known.isRead ? .known : .free(place)
    }

    /// Makes room for the object where an earlier one has its number.
    func take(_ key: ObjectKey, _ camera: CameraName, _ id: SegmentID) throws -> Place {
        let place = try find(key, camera, id)
        guard case .free(let free) = place, free != id, let other = try work.catalog.segment(camera, id) else {
            return place
        }
        work.tell(
            "segmentDisplaced", camera, "\(key) and \(other.key) have one number, \(id.session).\(id.counter)")
        guard !other.isLocal, other.start < key.start, try work.catalog.segment(camera, free) == nil else {
            return place
        }
        try work.catalog.moveAside(camera, id)
        return .free(id)
    }
}
