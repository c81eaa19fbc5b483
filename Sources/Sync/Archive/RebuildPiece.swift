import Catalog
import ObjectStore
import Recording

/// How far a rebuild has come, as its note in the catalog says it: the last object that was entered, or the summary of the
/// last day that is over.
struct RebuildPlace: Hashable {
    let asset: String
    let day: WallTime
    /// Nil when the day is over.
    let last: ObjectKey?

    init?(_ note: String) {
        if let key = ObjectKey(note) {
            (asset, day, last) = (key.asset, key.start.startOfDay, key)
        } else if case .summary(let asset, let day) = DocumentKey(note)?.kind {
            (self.asset, self.day, last) = (asset, day, nil)
        } else {
            return nil
        }
    }

    /// True when anything of the day is still to be entered.
    func isBefore(_ day: RebuildDay) -> Bool { (asset, self.day) < (day.asset, day.day) || isWithin(day) }

    func isWithin(_ day: RebuildDay) -> Bool { last != nil && (asset, self.day) == (day.asset, day.day) }
}

/// The part of a rebuild that one pass does: until it is told to stop, but never without having got further.
///
/// Used by one thread.
final class RebuildPiece {
    struct Over: Error {}

    private let isStopping: () -> Bool
    private var hasAdvanced = false

    init(isStopping: @escaping () -> Bool) { self.isStopping = isStopping }

    /// Asked before each thing that takes a request.
    func mayGoOn() throws { if hasAdvanced, isStopping() { throw Over() } }

    /// Something is in the catalog, or will be when the piece ends, that the next piece need not ask for again.
    func wentOn() { hasAdvanced = true }
}
