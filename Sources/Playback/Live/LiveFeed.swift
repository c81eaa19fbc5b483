import Footage
import NIOCore
import Recording
import Timeline

/// Follows what one camera's worker appends, for all who watch it: they cost the worker nothing.
///
/// Fragments are looked for when the file is written to, while anybody asks. The newest few are read once and held for all
/// who are sent them: another viewer costs a reference, not their bytes.
actor LiveFeed {
    /// What there is for a viewer who does not wait.
    enum Step {
        case fragment(LiveFragment)
        /// The next is still to come.
        case later
        /// Nothing is recorded now.
        case away
        /// Nobody asked for long, or the server ends.
        case ended
    }

    /// Nobody asked for so long: the feed ends.
    private static let linger = TimeSpan.seconds(20)
    /// Nothing came for so long: whoever waits is told.
    private static let silence = TimeSpan.seconds(30)
    /// Nothing was added to a growing segment for so long: it is not live, as a picture a minute still is.
    private static let stillness = TimeSpan.seconds(90)
    /// Fragments that a viewer may be behind.
    private static let lag: Int64 = 5
    /// So long after the last fragment nothing is recorded, when no segment grows either.
    private static let quiet = TimeSpan.seconds(5)
    /// Between looks while nothing is recorded, or while the kernel tells when something is.
    private static let pause = TimeSpan.seconds(1)
    /// What a playlist lists.
    private static let listed = TimeSpan.seconds(60)

    let camera: Archive.Camera
    private let reader: FootageReader
    private let clock: ServerClock
    /// Between looks while the kernel does not tell.
    private let poll: TimeSpan
    private let watches: FileWatches?
    private let news = Bell()
    private var watch: FileWatches.Watch?
    private var fragments = LiveFragments()
    /// As they are served, by sequence number.
    private var read: [Int64: SharedBytes] = [:]
    /// The newest, the last of which grows, and what they are served with.
    private var rows: [SegmentRow] = []
    private var shifts: [Int64: TimeSpan] = [:]
    private var timeline = LiveWindow()
    private var list: ChunkList?
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// Of those who follow several feeds, and which rope is this one's.
    private var bells: [ObjectIdentifier: (bell: Bell, rope: Int)] = [:]
    private var asked: MonotonicTime
    private var heard: MonotonicTime
    private var isEnded = false
    /// It ended because nobody asked: another one answers.
    private(set) var isLeft = false
    /// As of the last look; nil before the first.
    private var isGrowing: Bool?

    init(
        _ camera: Archive.Camera, _ reader: FootageReader, clock: ServerClock, poll: TimeSpan, watches: FileWatches?
    ) {
        (self.camera, self.reader, self.clock, self.poll) = (camera, reader, clock, poll)
        self.watches = watches
        asked = clock.monotonic()
        heard = clock.monotonic()
    }

    /// Until nobody asks any more, or its task is cancelled.
    func run() async {
        var told = clock.monotonic()
        while !Task.isCancelled, isAsked {
            let growing = await look()
            isGrowing = growing != nil
            if isStale { forget() }
            // Whoever waits has a deadline of their own to look at.
            if clock.monotonic() - told > .seconds(1) {
                tell()
                told = clock.monotonic()
            }
            // What came before it was watched is taken up first.
            if follow(growing?.path) { continue }
            _ = await news.wait(atMost: interval)
        }
        (isEnded, isLeft, watch) = (true, !Task.isCancelled, nil)
        tell()
    }

    private var isAsked: Bool { !waiting.isEmpty || !bells.isEmpty || clock.monotonic() - asked < Self.linger }

    /// True when the file is watched from now on.
    private func follow(_ path: String?) -> Bool {
        guard path != watch?.path else { return false }
        watch = path.flatMap { watches?.watch($0, news) }
        return watch != nil
    }

    /// Until the next look, if nothing is told before.
    private var interval: TimeSpan {
        if isGrowing == true, watch != nil { return Self.pause }
        // A segment that was just opened has no fragment yet: no reason to look less often.
        return isGrowing == true || clock.monotonic() - heard < Self.quiet ? poll : Self.pause
    }

    /// Rings `bell` by `rope` at each change, and once a second; false when the feed has ended.
    func attach(_ bell: Bell, _ rope: Int) -> Bool {
        guard !isEnded else { return false }
        bells[ObjectIdentifier(bell)] = (bell, rope)
        return true
    }

    func detach(_ bell: Bell) {
        bells[ObjectIdentifier(bell)] = nil
        asked = clock.monotonic()
    }

    /// What comes after the fragment `sequence`, or the newest that playback can start with.
    func step(after sequence: Int64?) -> Step {
        guard !isEnded else { return .ended }
        if let next = fragments.next(after: sequence, lag: Self.lag) { return .fragment(next) }
        guard let isGrowing else { return .later }
        let since = clock.monotonic() - heard
        let isQuiet = !isGrowing && (rows.isEmpty || since > Self.quiet)
        return isQuiet || since > Self.silence ? .away : .later
    }

    /// The fragment after `sequence`, or the newest that playback can start with; nil when nothing comes.
    func fragment(after sequence: Int64?) async -> LiveFragment? {
        let since = clock.monotonic()
        while !isEnded {
            asked = clock.monotonic()
            if let next = fragments.next(after: sequence, lag: Self.lag) { return next }
            guard clock.monotonic() - max(since, heard) < Self.silence else { return nil }
            await change()
        }
        return nil
    }

    /// The newest chunks once they hold what `isReady` wants, or as they are after `limit`; nil without any, or when the
    /// feed has ended.
    func chunks(within limit: TimeSpan, _ isReady: @Sendable (ChunkList) -> Bool) async -> ChunkList? {
        let since = clock.monotonic()
        while !isEnded {
            asked = clock.monotonic()
            if let list = listing(), isReady(list) { return list }
            guard clock.monotonic() - since < limit else { return listing() }
            await change()
        }
        return nil
    }

    /// A segment once it has media beyond `end`; nil when one after it begins, or after `limit`.
    func row(_ id: SegmentID, beyond end: Int64, within limit: TimeSpan) async -> SegmentRow? {
        let since = clock.monotonic()
        while !isEnded {
            asked = clock.monotonic()
            if let row = rows.last(where: { $0.id == id }), row.media.mediaEnd > end { return row }
            guard rows.last.map({ $0.id <= id }) ?? true, clock.monotonic() - since < limit else { return nil }
            await change()
        }
        return nil
    }

    private func listing() -> ChunkList? {
        guard !isStale, let end = rows.last?.end else { return nil }
        if let list { return list }
        let now = timeline.list(rows, from: end - Self.listed, to: end)
        list = now
        return now
    }

    /// The bytes of one of its fragments as they are served; nil for one that is too long to be held.
    func bytes(of fragment: LiveFragment) async throws -> ByteBuffer? {
        guard fragment.length <= LiveFragment.longestShared else { return nil }
        let known = read[fragment.sequence]
        let bytes = known ?? SharedBytes()
        read[fragment.sequence] = bytes
        let newest = fragments.newest?.sequence ?? fragment.sequence
        // Who is further behind goes on with a later key.
        read = read.filter { $0.key >= newest - Self.lag }
        return try await bytes.value { [reader] in try await reader.whole(fragment) }
    }

    private func change() async { await withCheckedContinuation { waiting.append($0) } }

    private func tell() {
        let told = waiting
        waiting = []
        for continuation in told { continuation.resume() }
        for (bell, rope) in bells.values { bell.ring(rope) }
    }
}

extension LiveFeed {
    /// Takes up what was appended since the last look; nil when nothing is recorded.
    private func look() async -> LiveSegment? {
        let (camera, archive, last) = (camera, reader.archive, rows.last)
        do {
            let (closed, growing) = try await reader.threads.run { () throws -> ([SegmentRow], LiveSegment?) in
                let growing = try archive.growing(camera)
                let isNews = growing?.row.id != last?.id
                guard isNews, let from = last?.start ?? growing?.row.start else { return ([], growing) }
                guard let last else {
                    // What a worker left when it died is not live.
                    guard try archive.isLive(camera) else { return ([], nil) }
                    let known = max(from - Self.listed, try archive.unknownPast(camera)?.before ?? .earliest)
                    return (known < from ? try archive.rows(camera, from: known, to: from) : [], growing)
                }
                // What was appended right before the segment was closed.
                let rows = try archive.rows(camera, from: from, to: from + .milliseconds(1))
                return (rows.filter { $0.id == last.id }, growing)
            }
            // A playlist begins before its first reader came.
            if last == nil { rows = closed.filter { $0.isPlayable && $0.id != growing?.row.id } }
            for row in closed where last != nil && row.isPlayable { take(row) }
            if let row = growing?.row, row.isPlayable { take(row) }
            return growing
        } catch {
            return nil  // Tried again: whoever waits is told in the end that nothing came.
        }
    }

    private var isStale: Bool {
        clock.monotonic() - heard > (isGrowing == true ? Self.stillness : Self.silence)
    }

    /// Whoever comes from now on waits for what is recorded then; whoever watches goes on with it.
    private func forget() {
        fragments.forget()
        (read, list) = ([:], nil)
        // That tells what of its segment is new.
        rows = rows.suffix(1)
    }

    private func take(_ row: SegmentRow) {
        let known = rows.last.flatMap { $0.id == row.id ? $0.media.fragments.count : nil }
        let count = row.media.fragments.count
        guard known ?? 0 < count else { return }
        // Of what is new to us only what a viewer may start with.
        let isFirst = fragments.newest == nil
        let first = known ?? (isFirst ? row.media.fragments.lastIndex(where: \.isKey) : nil) ?? 0
        for index in first..<count {
            let last = fragments.newest
            fragments.append(LiveFragment(row, index, after: last, shift: shift(of: row, after: last)))
        }
        if known != nil { rows.removeLast() }
        rows.append(row)
        rows.removeAll { $0.end < row.end - Self.listed }
        (list, heard) = (nil, clock.monotonic())
        tell()
    }

    /// A session is served where it is in UTC, or right after what came before it.
    private func shift(of row: SegmentRow, after last: LiveFragment?) -> TimeSpan {
        let session = row.id.session
        if let known = shifts[session] { return known }
        let natural = TimeSpan(microseconds: row.start.microseconds) - row.mediaStart
        let shift = max(natural, last.map { $0.servedEnd - row.mediaStart } ?? natural)
        // None but the newest session goes on.
        shifts = [session: shift]
        return shift
    }
}
