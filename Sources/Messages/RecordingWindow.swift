package import Recording

/// What makes a camera record by windows instead of always.
package struct GateRole: Hashable, Sendable {
    /// How far before the present a window may begin when the worker hears of it.
    package var preRoll: TimeSpan

    package init(preRoll: TimeSpan) { self.preRoll = preRoll }
}

/// A stretch of time that somebody wants recorded: one session, if the camera is there all the time.
///
/// From the last keyframe at or before `from` to the frame that holds `until`. The same id again with a later `until`
/// lengthens it; one that is over goes on from its end, as another session.
package struct RecordingWindow: Hashable, Sendable {
    /// One word: the worker's `windowClosed` begins with it.
    package var id: String
    package var from: WallTime
    package var until: WallTime
    /// The asset in the store; empty: nothing is uploaded, or to the camera's own.
    package var asset: String
    /// Name of the file that becomes of it, without its folder; empty: none.
    package var file: String
    /// Of all events that kept the gate open.
    package var correlation: String

    package init(
        id: String, from: WallTime, until: WallTime, asset: String = "", file: String = "", correlation: String = ""
    ) {
        self.id = id
        self.from = from
        self.until = until
        self.asset = asset
        self.file = file
        self.correlation = correlation
    }
}

extension ByteWriter {
    mutating func put(_ window: RecordingWindow) {
        put(window.id)
        put(window.from)
        put(window.until)
        put(window.asset)
        put(window.file)
        put(window.correlation)
    }
}

extension ByteReader {
    mutating func recordingWindow() throws(MessageError) -> RecordingWindow {
        RecordingWindow(
            id: try text(), from: try wallTime(), until: try wallTime(), asset: try text(), file: try text(),
            correlation: try text())
    }
}
