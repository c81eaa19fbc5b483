package import Recording

/// What whoever connects may use: nothing here grows with it (I9).
package struct ConnectionLimits: Sendable {
    /// At a time; more wait in the kernel's queue.
    package var connections: Int
    /// Of these, for one address that is no proxy of ours.
    package var connectionsOfAddress: Int
    /// A reader that took nothing for so long is gone.
    package var stalled: TimeSpan

    package init(connections: Int, connectionsOfAddress: Int, stalled: TimeSpan) {
        (self.connections, self.connectionsOfAddress) = (connections, connectionsOfAddress)
        self.stalled = stalled
    }
}
