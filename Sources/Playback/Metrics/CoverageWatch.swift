import Dispatch
import Footage
import Recording
import Synchronization

/// How much of the last 24 hours is recorded or was not asked for, by camera: looked up once a minute at most, off the
/// event loops.
actor CoverageWatch {
    private static let window = TimeSpan.seconds(86_400)
    private static let validity = Duration.seconds(60)

    private let archive: Archive
    private let queue = DispatchQueue(label: "coverage")
    private var known: [String: Double] = [:]
    private var knownAt: ContinuousClock.Instant?

    init(_ archive: Archive) { self.archive = archive }

    func current() async -> [String: Double] {
        if let knownAt, .now - knownAt < Self.validity { return known }
        // Whoever asks meanwhile gets what was known before.
        knownAt = .now
        let (archive, queue) = (archive, queue)
        known = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Self.look(archive)) }
        }
        return known
    }

    /// Cameras whose coverage cannot be told are left out.
    private static func look(_ archive: Archive) -> [String: Double] {
        let now = WallTime.current()
        var found: [String: Double] = [:]
        for camera in (try? archive.cameras()) ?? [] {  // without a catalog and a store nothing is known
            guard let spans = try? archive.spans(camera, from: now - window, to: now),  // see above
                let unasked = try? archive.unasked(camera, from: now - window, to: now)
            else { continue }
            let covered = (spans + unasked).reduce(0) { $0 + ($1.end - $1.start).seconds }
            found[camera.name.text] = min(1, covered / window.seconds)
        }
        return found
    }
}
