import Footage
import Recording
import Synchronization

/// The feeds of cameras that anybody watches: one a camera, however many watch.
final class LiveFeeds: Sendable {
    private let reader: FootageReader
    private let clock: ServerClock
    private let poll: TimeSpan
    private let watches = FileWatches()
    private let feeds = Mutex<[CameraName: LiveFeed]>([:])
    private let started: AsyncStream<LiveFeed>
    private let start: AsyncStream<LiveFeed>.Continuation

    init(_ reader: FootageReader, clock: ServerClock, poll: TimeSpan) {
        (self.reader, self.clock, self.poll) = (reader, clock, poll)
        (started, start) = AsyncStream.makeStream()
    }

    /// Runs the feeds until it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watches?.run() }
            for await feed in started {
                group.addTask {
                    await feed.run()
                    self.forget(feed)
                }
            }
            group.cancelAll()
        }
    }

    func feed(of camera: Archive.Camera) -> LiveFeed {
        feeds.withLock { feeds in
            if let known = feeds[camera.name] { return known }
            let feed = LiveFeed(camera, reader, clock: clock, poll: poll, watches: watches)
            feeds[camera.name] = feed
            start.yield(feed)
            return feed
        }
    }

    /// The feed of a camera that rings `bell` by `rope`, and goes on until the bell is detached.
    func feed(of camera: Archive.Camera, ringing bell: Bell, _ rope: Int) async -> LiveFeed {
        while true {
            let feed = feed(of: camera)
            if await feed.attach(bell, rope) { return feed }
            // It ended between these two lines.
            forget(feed)
        }
    }

    /// What a camera's feed answers `question`; one that ended before it was asked is followed by another.
    func answer<Answer: Sendable>(
        of camera: Archive.Camera, _ question: (LiveFeed) async -> Answer?
    ) async -> Answer? {
        while true {
            let feed = feed(of: camera)
            if let answer = await question(feed) { return answer }
            guard await feed.isLeft else { return nil }
            forget(feed)
        }
    }

    private func forget(_ feed: LiveFeed) {
        feeds.withLock { if $0[feed.camera.name] === feed { $0[feed.camera.name] = nil } }
    }
}
