package import LibAV
package import Recording

/// One camera's packets, whatever engine receives them.
///
/// A source has no thread of its own: it calls `tick` on the caller's thread, at least every 100 ms while it blocks,
/// and returns soon after `tick` returned true. It keeps its own deadlines for connecting and for a silent camera.
package protocol PacketSource: AnyObject {
    /// Connects and asks the camera to play; nil when the tick asked for an end.
    func open(tick: @escaping () -> Bool) throws(SourceFailure) -> Announcement?
    func next() throws(SourceFailure) -> SourceEvent
    /// Lets go of the camera; any number of times.
    func close()
}

extension LibAVSource: PacketSource {}
