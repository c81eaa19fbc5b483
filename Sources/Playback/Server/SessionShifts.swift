import Recording
import Synchronization
import Timeline

/// Where on the time line sessions are served, so that a live manifest's window slides over one time line, and live
/// fragments are on it too.
///
/// Served time is UTC since 1970. Holds a bounded number of sessions; one that is forgotten is placed anew by its rows,
/// nearly where it was.
final class SessionShifts: Sendable {
    private static let places = 4096

    private struct Session: Hashable {
        let camera: CameraName
        let number: Int64
    }

    private struct State {
        var shifts: [Session: TimeSpan] = [:]
        var order: [Session] = []

        mutating func put(_ shift: TimeSpan, _ session: Session) {
            if shifts.updateValue(shift, forKey: session) == nil { order.append(session) }
            if order.count > SessionShifts.places { shifts[order.removeFirst()] = nil }
        }
    }

    private let state = Mutex(State())

    /// A camera's, by session number.
    func known(_ camera: CameraName) -> [Int64: TimeSpan] {
        state.withLock { state in
            Dictionary(
                state.shifts.filter { $0.key.camera == camera }.map { ($0.key.number, $0.value) },
                uniquingKeysWith: { first, _ in first })
        }
    }

    func remember(_ shifts: [Int64: TimeSpan], of camera: CameraName) {
        state.withLock { state in
            for (number, shift) in shifts { state.put(shift, Session(camera: camera, number: number)) }
        }
    }

    /// The shift of a row's session: one that is new is where the row is in UTC, or right after `end`.
    func shift(of row: SegmentRow, _ camera: CameraName, after end: TimeSpan?) -> TimeSpan {
        state.withLock { state in
            let session = Session(camera: camera, number: row.id.session)
            if let known = state.shifts[session] { return known }
            let natural = TimeSpan(microseconds: row.start.microseconds) - row.mediaStart
            let shift = max(natural, end.map { $0 - row.mediaStart } ?? natural)
            state.put(shift, session)
            return shift
        }
    }
}
