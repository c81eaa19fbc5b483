internal import FragmentedMP4
internal import Recording

/// Keeps a camera that changes its format again and again from making a segment, and an upload, of every keyframe.
struct FormatWatch: Sendable {
    /// More changes than this in a minute are no operator's doing.
    static let mostChanges = 10
    private static let span = TimeSpan.seconds(60)
    /// One format has to hold for so long before it is recorded.
    private static let rest = TimeSpan.seconds(10)

    private var changes: [MonotonicTime] = []
    /// The format of the last keyframe and since when, while nothing is recorded.
    private var unrest: (format: VideoParameterSets?, since: MonotonicTime)?

    /// True when a keyframe of `format` may be recorded; `recorded` is that of the running segment.
    mutating func allows(
        _ format: VideoParameterSets?, after recorded: VideoParameterSets?, at now: MonotonicTime
    ) -> Bool {
        if let unrest {
            guard unrest.format == format else {
                self.unrest = (format, now)
                return false
            }
            guard now - unrest.since >= Self.rest else { return false }
            (self.unrest, changes) = (nil, [])
            return true
        }
        guard let recorded, recorded != format else { return true }
        changes = changes.filter { now - $0 < Self.span } + [now]
        guard changes.count > Self.mostChanges else { return true }
        unrest = (format, now)
        return false
    }
}
