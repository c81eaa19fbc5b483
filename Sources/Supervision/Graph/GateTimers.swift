package import Recording

/// For when each gate is to be looked at next: one timer for each such time.
package struct GateTimers: Sendable {
    private var times: [CameraName: WallTime] = [:]

    package init() {}

    /// False when a timer runs for that time already.
    package mutating func arm(_ gate: CameraName, at time: WallTime) -> Bool {
        guard times[gate] != time else { return false }
        times[gate] = time
        return true
    }

    /// A timer ran out: by the wall clock, which may have been set back meanwhile, it may be too early, and needs another.
    package mutating func rang(_ gate: CameraName, at time: WallTime) {
        if times[gate] == time { times[gate] = nil }
    }

    package mutating func forget(_ gate: CameraName) { times[gate] = nil }
}

/// What is done of a camera, one at a time: however many come meanwhile, once more.
package struct CameraTurns: Sendable {
    /// Whether one is to follow.
    private var running: [CameraName: Bool] = [:]

    package init() {}

    /// False when one is under way, which is then repeated.
    package mutating func begins(_ camera: CameraName) -> Bool {
        guard running[camera] == nil else {
            running[camera] = true
            return false
        }
        running[camera] = false
        return true
    }

    /// It is done: true when it is to be done once more.
    package mutating func isToBeRepeated(_ camera: CameraName) -> Bool {
        guard running[camera] == true else {
            running[camera] = nil
            return false
        }
        running[camera] = false
        return true
    }
}
