/// The state that an operator sees for a camera.
package enum CameraState: String, Sendable, CaseIterable {
    case stopped
    /// The worker was spawned and has not reached the camera yet.
    case starting
    case recording
    /// The worker is up; the camera is away, silent or refuses. Never a crash.
    case reconnecting
    /// The worker crashed and waits for its next start.
    case backingOff
    /// The worker crashed again and again; still restarted, at the longest interval.
    case flapping
    /// Will not be started until the operator acts: bad configuration, wrong disk.
    case refused
}

/// The last thing that went wrong, in words that end with the next step.
package struct Fault: Hashable, Sendable {
    /// lowerCamelCase, stable, for scripts.
    package var code: String
    package var message: String
    package var nextStep: String

    package init(code: String, message: String, nextStep: String) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
    }
}
