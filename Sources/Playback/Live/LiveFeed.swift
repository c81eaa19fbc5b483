import Footage
import Recording
import Timeline

/// Follows what one camera's worker appends, for all who watch it: they cost the worker nothing.
///
/// Fragments are looked for a few times a second while anybody asks, and are told of, not held: who sends them reads them
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

    let camera: Archive.Camera
    private let reader: FootageReader
    private let shifts: SessionShifts
    private let clock: ServerClock
    private let poll: TimeSpan
    private var window = LiveWindow()
    private var segment: SegmentRow?
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var asked: MonotonicTime
    private var heard: MonotonicTime
    private var isEnded = false

    init(
        _ camera: Archive.Camera, _ reader: FootageReader, shifts: SessionShifts, clock: ServerClock, poll: TimeSpan
    ) {
        (self.camera, self.reader, self.shifts, self.clock, self.poll) = (camera, reader, shifts, clock, poll)
        asked = clock.monotonic()
        heard = clock.monotonic()
    }

    /// Until nobody asks any more, or its task is cancelled.
    func run() async {
        var told = clock.monotonic()
        while !Task.isCancelled, !waiting.isEmpty || clock.monotonic() - asked < Self.linger {
            let isGrowing = await look()
            // Whoever waits has a deadline of their own to look at.
            if clock.monotonic() - told > .seconds(1) { tell() }
            if waiting.isEmpty { told = clock.monotonic() }
            let pause = isGrowing ? poll : Self.pause
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
            if let next = window.next(after: sequence, lag: Self.lag) { return next }
            guard clock.monotonic() - max(since, heard) < Self.silence else { return nil }
            await change()
        }
        return nil
    }

    /// The window once it has what `isReady` wants; as it is after `limit`.
    func window(within limit: TimeSpan, _ isReady: @Sendable (LiveWindow) -> Bool) async -> LiveWindow {
        let since = clock.monotonic()
        while !isEnded {
            asked = clock.monotonic()
            if isReady(window) || clock.monotonic() - since >= limit { break }
            await change()
        }
        return window
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
        let (camera, archive, last) = (camera, reader.archive, segment)
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
        let known = segment.flatMap { $0.id == row.id ? $0.media.fragments.count : nil }
        // Of a segment that is new to us only what a viewer may start with.
        let first = known ?? row.media.fragments.lastIndex(where: \.isKey) ?? 0
        guard first < row.media.fragments.count else { return }
        for index in first..<row.media.fragments.count {
            let last = window.newest
            let shift = shifts.shift(of: row, camera.name, after: last?.piece.servedEnd)
            window.append(LiveFragment(row, index, after: last, shift: shift))
        }
        segment = row
        heard = clock.monotonic()
        tell()
    }
}
