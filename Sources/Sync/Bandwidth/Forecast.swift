package import Recording

/// When a camera's cache is full of footage that is not in the store yet, at the rates of now: from then on it is evicted,
/// or recording stops.
package struct Forecast: Hashable, Sendable {
    /// What is known of one camera.
    package struct Camera: Hashable, Sendable {
        /// Bytes in the cache that are not in the store.
        package var pending: Int64
        /// Bytes that may go from the cache at any time.
        package var verified: Int64
        /// Nil is bounded by the disk alone.
        package var budget: Int64?
        /// Bytes a second.
        package var recording: Double
        package var uploading: Double
        /// As much waits when nothing is wrong: what closes within two of the camera's periods.
        package var usual: Double

        package init(
            pending: Int64, verified: Int64, budget: Int64?, recording: Double, uploading: Double, usual: Double
        ) {
            self.pending = pending
            self.verified = verified
            self.budget = budget
            self.recording = recording
            self.uploading = uploading
            self.usual = usual
        }
    }

    /// Longer than this is for ever: no rate lasts as long.
    private static let horizon = 10 * 365 * 86_400.0

    /// Of the room that the camera's footage has in the cache, what is still free or may be freed: 0 to 1.
    package var headroom: Double
    /// Nil for never.
    package var evictionIn: TimeSpan?
    /// As `evictionIn` if nothing were uploaded from now on.
    package var deadline: TimeSpan?

    /// Of the cameras whose caches share a disk; `free` is what it has above the minimum that stays free.
    ///
    /// `isStoreAway`: nothing is uploaded, whatever was measured.
    package static func of(_ cameras: [CameraName: Camera], free: Int64, isStoreAway: Bool) -> [CameraName: Forecast] {
        let recording = cameras.values.reduce(0) { $0 + max(0, $1.recording) }
        let room = cameras.values.reduce(Double(max(0, free))) { $0 + Double(max(0, $1.verified)) }
        return cameras.mapValues { camera in
            // What is free goes to the cameras as they record, and so does what the others may let go.
            let share = recording > 0 ? room * max(0, camera.recording) / recording : room
            let pending = Double(max(0, camera.pending))
            let left = min(share, camera.budget.map { max(0, Double($0) - pending) } ?? .infinity)
            let uploading = isStoreAway ? 0 : camera.uploading
            let isUsual = !isStoreAway && pending <= camera.usual
            // A rate that differs by less is the same within what is measured.
            let growth = camera.recording - uploading > camera.recording / 50 ? camera.recording - uploading : 0
            return Forecast(
                headroom: left + pending > 0 ? left / (left + pending) : 0,
                evictionIn: isUsual ? nil : span(left, at: growth), deadline: span(left, at: camera.recording))
        }
    }

    private static func span(_ bytes: Double, at rate: Double) -> TimeSpan? {
        guard rate > 0, bytes / rate < horizon else { return nil }
        return TimeSpan(microseconds: Int64(bytes / rate * 1_000_000))
    }
}

/// Which alarms about the headroom of one camera are out: each is told once, and again when it had recovered.
package struct HeadroomAlarm: Hashable, Sendable {
    private static let steps = [50, 25, 10]
    /// Percent above a step at which it has recovered.
    private static let margin = 5.0

    private var told: Set<Int> = []

    package init() {}

    /// The step that has just been reached, the lowest of several; nil when there is nothing new.
    package mutating func reach(_ forecast: Forecast) -> Int? {
        let percent = forecast.headroom * 100
        told = told.filter { percent <= Double($0) + Self.margin }
        guard forecast.evictionIn != nil else { return nil }
        let reached = Self.steps.filter { percent <= Double($0) && !told.contains($0) }
        told.formUnion(reached)
        return reached.min()
    }
}
