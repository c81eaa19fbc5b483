import Footage
import Recording
import Timeline

/// Follows what one camera's worker appends, for all who watch it: they cost the worker nothing.
///
/// Fragments are looked for many times a second while anybody asks, and are told of, not held: who sends them reads them
/// from the file, which memory has.
actor LiveFeed {
    /// Nobody asked for so long: the feed ends.
    private static let linger = TimeSpan.seconds(20)
    /// Nothing came for so long: whoever waits is told.
    private static let silence = TimeSpan.seconds(30)
    /// Fragments that a viewer may be behind.
    private static let lag: Int64 = 5
    /// Between looks while nothing is recorded.
    private static let pause = TimeSpan.seconds(1)
    /// What a playlist lists.
    private static let listed = TimeSpan.seconds(60)

    let camera: Archive.Camera
    private let reader: FootageReader
    private let clock: ServerClock
    private let poll: TimeSpan
    private var fragments = LiveFragments()
    /// The newest, the last of which grows, and what they are served with.
    private var rows: [SegmentRow] = []
    private var shifts: [Int64: TimeSpan] = [:]
    private var timeline = LiveWindow()
    private var list: ChunkList?
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var asked: MonotonicTime
    private var heard: MonotonicTime
    private var isEnded = false

    init(_ camera: Archive.Camera, _ reader: FootageReader, clock: ServerClock, poll: TimeSpan) {
        (self.camera, self.reader, self.clock, self.poll) = (camera, reader, clock, poll)
        asked = clock.monotonic()
        heard = clock.monotonic()
    }

    /// Until nobody asks any more, or its task is cancelled.
    func run() async {
        var told = clock.monotonic()
        while !Task.isCancelled, !waiting.isEmpty || clock.monotonic() - asked < Self.linger {
            let isGrowing = await look()
            // Whoever waits has a deadline of their own to look at.
            if clock.monotonic() - told > .seconds(1) {
                tell()
                told = clock.monotonic()
            }
            // A segment that was just opened has no fragment yet: no reason to look less often.
            let isBetween = clock.monotonic() - heard < .seconds(5)
            let pause = isGrowing || isBetween ? poll : Self.pause
            // Ends early only when the task is cancelled.
            try? await Task.sleep(for: .microseconds(pause.microseconds))
        }
        isEnded = true
        tell()
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

    /// The newest chunks once they hold what `isReady` wants, or as they are after `limit`; nil without any.
    func chunks(within limit: TimeSpan, _ isReady: @Sendable (ChunkList) -> Bool) async -> ChunkList? {
        let since = clock.monotonic()
        while !isEnded {
            asked = clock.monotonic()
            if let list = listing(), isReady(list) { return list }
            guard clock.monotonic() - since < limit else { break }
            await change()
        }
        return listing()
    }

    private func listing() -> ChunkList? {
        guard let end = rows.last?.end else { return nil }
        if let list { return list }
        let now = timeline.list(rows, from: end - Self.listed, to: end)
        list = now
        return now
    }

    private func change() async { await withCheckedContinuation { waiting.append($0) } }

    private func tell() {
        let told = waiting
        waiting = []
        for continuation in told { continuation.resume() }
    }
}

extension LiveFeed {
    /// Takes up what was appended since the last look; false when nothing is recorded.
    private func look() async -> Bool {
        let (camera, archive, last) = (camera, reader.archive, rows.last)
        do {
            let (rest, growing) = try await reader.threads.run { () throws -> (SegmentRow?, SegmentRow?) in
                let growing = try archive.growing(camera)?.row
                guard let last, growing?.id != last.id else { return (nil, growing) }
                // What was appended right before the segment was closed.
                let rows = try archive.rows(camera, from: last.start, to: last.start + .milliseconds(1))
                return (rows.first { $0.id == last.id }, growing)
            }
            for row in [rest, growing] { if let row, row.isPlayable { take(row) } }
            return growing != nil
        } catch {
            return false  // Tried again: whoever waits is told in the end that nothing came.
        }
    }

    private func take(_ row: SegmentRow) {
        let known = rows.last.flatMap { $0.id == row.id ? $0.media.fragments.count : nil }
        let count = row.media.fragments.count
        guard known ?? 0 < count else { return }
        // Of what is new to us only what a viewer may start with.
        let first = known ?? (rows.isEmpty ? row.media.fragments.lastIndex(where: \.isKey) : nil) ?? 0
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
