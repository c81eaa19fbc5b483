extension TimeSpan {
    private static let longestPause = TimeSpan.seconds(3600)

    /// As a retention: how long a camera is left alone between two looks for what has expired.
    ///
    /// A look that finds something asks the store for the camera's holds first, which a service bills as a write. An hour
    /// costs least: what is kept for longer than its retention costs more than the requests that a longer pause saves.
    package func pause(period: TimeSpan) -> TimeSpan {
        max(period, min(TimeSpan(microseconds: microseconds / 100), Self.longestPause))
    }
}
