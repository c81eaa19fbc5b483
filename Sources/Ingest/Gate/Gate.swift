internal import Messages
internal import Recording

/// Which windows of a camera wait to be recorded, and which one is.
///
/// Pure. Counts on the monotonic clock from the moment when it hears of a window: a wall clock that is set makes none
/// longer or shorter.
struct Gate {
    struct Window {
        let asked: RecordingWindow
        var from: MonotonicTime
        var until: MonotonicTime
    }

    /// More than any gate has under way.
    static let mostWaiting = 64
    /// Whoever repeats itself repeats the newest.
    private static let mostRemembered = 256

    private(set) var waiting: [Window] = []
    private(set) var open: Window?
    private var over: [(window: Window, sessions: ClosedRange<Int64>?)] = []

    /// What becomes of a window that was heard of.
    enum Reception {
        /// It waits, or is longer now; one that was over goes on from its end.
        case taken
        /// It was recorded, in these sessions, or makes no sense: nothing comes of it any more.
        case over(ClosedRange<Int64>?)
    }

    /// `now` and `wall` are one moment.
    mutating func take(_ asked: RecordingWindow, now: MonotonicTime, wall: WallTime) -> Reception {
        let (from, until) = (now + (asked.from - wall), now + (asked.until - wall))
        if let running = open, running.asked.id == asked.id {
            open = Self.longer(running, asked, until)
            return .taken
        }
        if let index = waiting.firstIndex(where: { $0.asked.id == asked.id }) {
            waiting[index] = Self.longer(waiting[index], asked, until)
            return .taken
        }
        let past = over.last { $0.window.asked.id == asked.id }
        // Whoever lengthens a window counts on it, however late the word comes: what is missing of it is still wanted.
        let isLonger = past.map { Self.longer($0.window, asked, until).until > $0.window.until } ?? true
        let begin = past?.window.until ?? from
        guard isLonger, begin < until, waiting.count < Self.mostWaiting else {
            return .over(past?.sessions)
        }
        let place = waiting.firstIndex { $0.from > begin } ?? waiting.endIndex
        waiting.insert(Window(asked: asked, from: begin, until: until), at: place)
        return .taken
    }

    /// Opens for the window that comes first, if none is open.
    mutating func openNext() -> Window? { openFirst { _ in true } }

    /// Opens for the one that a predecessor had open at `seam`, if it had one: those that were over by then come later.
    mutating func open(at seam: MonotonicTime) -> Window? { openFirst { $0.from <= seam && seam < $0.until } }

    private mutating func openFirst(where isMeant: (Window) -> Bool) -> Window? {
        guard open == nil, let index = waiting.firstIndex(where: isMeant) else { return nil }
        open = waiting.remove(at: index)
        return open
    }

    /// `sessions` are the first of the window's and the last.
    mutating func close(_ sessions: ClosedRange<Int64>?) {
        guard let closing = open else { return }
        open = nil
        over = over.suffix(Self.mostRemembered - 1) + [(closing, sessions)]
    }

    /// What is told twice is no news: only then may a wall clock that was set in between not matter.
    private static func longer(_ window: Window, _ asked: RecordingWindow, _ until: MonotonicTime) -> Window {
        guard asked.until != window.asked.until, until > window.until else { return window }
        return Window(asked: asked, from: window.from, until: until)
    }
}
