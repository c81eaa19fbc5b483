package import JSON
package import Messages
package import Recording

/// What the sinks of one camera's instance record, and what of it was told: from this follow LVA's recording events.
///
/// A value, kept on disk over restarts of cvrd (`<state>/graph/recordings`), so that each event is told once in the life of
/// an activation: a cvrd that dies in between tells it again rather than never.
package struct Chronicle: Hashable, Sendable {
    /// What one of a sink's recordings goes to.
    package enum Output: Hashable, Sendable {
        case asset(String)
        /// Absolute path of the file.
        case file(String)
    }

    package enum Happening: Hashable, Sendable {
        case started(Output, correlation: String?)
        /// Enough of it is stored for playback, or the file is complete.
        case available(Output, correlation: String?)
        case stopped(Output, correlation: String?)
        /// There were too many: nothing more is told of this one.
        case dropped(Output, correlation: String?)
    }

    /// One recording: of an activation, or of one window of a signal gate.
    package struct Entry: Hashable, Sendable {
        /// Nil of a continuous one.
        package var window: RecordingWindow?
        /// Empty when nothing goes there.
        package var asset: String
        /// Absolute path as it was planned; empty when nothing goes there.
        package var file: String
        /// The first session of it, and the last.
        package var first: Int64?
        package var last: Int64?
        package var isOver = false
        package var isStored = false
        package var isFiled = false
        /// Paths of files of which was told that they are complete.
        package var told: [String] = []

        fileprivate var outputs: [Output] {
            (asset.isEmpty ? [] : [.asset(asset)]) + (file.isEmpty ? [] : [.file(file)])
        }

        fileprivate var isSettled: Bool { isOver && (asset.isEmpty || isStored) && (file.isEmpty || isFiled) }
    }

    /// In the order of their begin.
    package private(set) var recordings: [Entry] = []
    /// The signal gate's own state; null without one.
    package var gate = JSONValue.null
    /// When the media session was established of which was told last.
    package var established: WallTime?

    /// What a night without a store makes of a clip every twenty seconds; each signal writes all of it anew.
    private static let limit = 2048

    package init() {}

    /// The windows that a worker has still to hear of.
    package var openWindows: [RecordingWindow] { recordings.filter { !$0.isOver }.compactMap(\.window) }

    /// The asset of what is recorded all the time; nil without that.
    package var continuousAsset: String? { recordings.first { !$0.isOver && $0.window == nil }?.asset }

    /// There is nothing that the next cvrd would have to know.
    package var isEmpty: Bool { recordings.isEmpty && gate == .null }

    /// The sessions of recordings of which something is to be told that cvr-sync may know by now.
    ///
    /// `stored` is the newest session of which the store has a segment.
    package func questions(stored: Int64?) -> [ClosedRange<Int64>] {
        recordings.compactMap { entry in
            guard let first = entry.first, let last = entry.last, first <= last else { return nil }
            let mayBeStored = !entry.asset.isEmpty && !entry.isStored && stored.map { $0 >= first } ?? false
            return mayBeStored || (!entry.file.isEmpty && !entry.isFiled) ? first...last : nil
        }
    }

    // MARK: What happens

    /// An activation of an instance that records all the time.
    package mutating func begin(asset: String) { recordings.append(Entry(asset: asset, file: "")) }

    /// A signal gate opened, or stays open for longer.
    ///
    /// Returns the window as it is recorded: where to was settled when it opened.
    package mutating func take(_ window: RecordingWindow, file: String) -> RecordingWindow {
        // A worker that closed it before it heard of this goes on from there, with another session: another recording.
        if let index = recordings.lastIndex(where: { $0.window?.id == window.id }),
            let known = recordings[index].window, !recordings[index].isOver || window.until <= known.until
        {
            if !recordings[index].isOver { recordings[index].window?.until = window.until }
            return recordings[index].window ?? window
        }
        recordings.append(Entry(window: window, asset: window.asset, file: file))
        return window
    }

    /// Lets go of what is too much, of what is over first.
    package mutating func bound() -> [Happening] {
        var happenings: [Happening] = []
        while recordings.count > Self.limit {
            let index = recordings.firstIndex { $0.isOver && ($0.file.isEmpty || $0.isFiled) }
            let dropped = recordings.remove(at: index ?? recordings.firstIndex(where: \.isOver) ?? 0)
            happenings += tell(dropped) { .dropped($0, correlation: $1) }
        }
        return happenings
    }

    /// The camera's worker began a session of that window, or without one of what is recorded all the time.
    package mutating func sessionStarted(_ session: Int64, window: String = "") -> [Happening] {
        guard let index = recording(of: window) else { return [] }
        let isNew = recordings[index].first == nil
        recordings[index].first = min(recordings[index].first ?? session, session)
        recordings[index].last = max(recordings[index].last ?? session, session)
        return isNew ? tell(recordings[index]) { .started($0, correlation: $1) } : []
    }

    /// A session that a worker told to nobody.
    package func lacks(_ session: Int64, window: String) -> Bool {
        recording(of: window).map { (recordings[$0].last ?? 0) < session } ?? false
    }

    private func recording(of window: String) -> Int? {
        recordings.lastIndex { window.isEmpty ? !$0.isOver && $0.window == nil : $0.window?.id == window }
    }

    /// `session` is its last one, `first` its first where it had several.
    package mutating func windowClosed(_ id: String, session: Int64?, first: Int64? = nil) -> [Happening] {
        guard let index = recordings.firstIndex(where: { $0.window?.id == id && !$0.isOver }) else { return [] }
        var happenings: [Happening] = []
        if let session, session > 0 {
            let known = recordings[index].first
            // Of those before the one that was heard of nobody may have heard.
            recordings[index].first = min(known ?? session, first ?? known ?? session)
            recordings[index].last = max(recordings[index].last ?? session, session)
            if known == nil { happenings = tell(recordings[index]) { .started($0, correlation: $1) } }
        }
        return happenings + end(at: [index])
    }

    /// Nothing is recorded any more.
    package mutating func stopped() -> [Happening] { end(at: recordings.indices.filter { !recordings[$0].isOver }) }

    /// Windows of whose end nobody told.
    package mutating func gaveUp(on windows: Set<String>) -> [Happening] {
        end(at: recordings.indices.filter { recordings[$0].window.map { windows.contains($0.id) } ?? false })
    }

    /// What cvr-sync knows of the sessions that were asked for.
    package mutating func reached(_ outcome: SyncInterface.Outcome, of sessions: ClosedRange<Int64>) -> [Happening] {
        guard let index = recordings.firstIndex(where: { $0.first == sessions.lowerBound }) else { return [] }
        var happenings: [Happening] = []
        let correlation = recordings[index].window?.correlation
        let isOver = recordings[index].isOver && outcome.over && recordings[index].last == sessions.upperBound
        if !recordings[index].asset.isEmpty, !recordings[index].isStored {
            let output = Output.asset(recordings[index].asset)
            if outcome.stored { happenings.append(.available(output, correlation: correlation)) }
            // What was lost on its way will not come any more.
            recordings[index].isStored = outcome.stored || isOver && outcome.waiting == 0
        }
        if !recordings[index].file.isEmpty {
            for path in outcome.files where !recordings[index].told.contains(path) {
                recordings[index].told.append(path)
                happenings.append(.available(.file(path), correlation: correlation))
            }
            recordings[index].isFiled = isOver && outcome.unfiled == 0
        }
        recordings.removeAll(where: \.isSettled)
        return happenings
    }

    /// Those without a session recorded nothing, and nothing is told of them.
    private mutating func end(at indices: [Int]) -> [Happening] {
        var happenings: [Happening] = []
        for index in indices where !recordings[index].isOver {
            recordings[index].isOver = true
            guard recordings[index].first != nil else { continue }
            happenings += tell(recordings[index]) { .stopped($0, correlation: $1) }
        }
        recordings.removeAll { $0.isSettled || ($0.isOver && $0.first == nil) }
        return happenings
    }

    private func tell(_ recording: Entry, _ make: (Output, String?) -> Happening) -> [Happening] {
        recording.outputs.map { make($0, recording.window?.correlation) }
    }
}

// MARK: Disk

extension Chronicle {
    struct Unreadable: Error {}

    package var json: JSONValue {
        var members: [String: JSONValue] = ["recordings": .array(recordings.map(\.json)), "gate": gate]
        if let established { members["established"] = .string(established.rfc3339Microseconds) }
        return .object(members)
    }

    /// Throws for what no cvrd wrote.
    package init(stored json: JSONValue) throws {
        guard case .array(let list) = json["recordings"] else { throw Unreadable() }
        gate = json["gate"] ?? .null
        if case .string(let time) = json["established"] { established = WallTime(rfc3339: time) }
        for item in list {
            guard let recording = Entry(item) else { throw Unreadable() }
            recordings.append(recording)
        }
    }
}

extension Chronicle.Entry {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "asset": .string(asset), "file": .string(file), "isOver": .bool(isOver), "isStored": .bool(isStored),
            "isFiled": .bool(isFiled),
        ]
        if !told.isEmpty { members["told"] = .array(told.map { .string($0) }) }
        if let first { members["first"] = .integer(first) }
        if let last { members["last"] = .integer(last) }
        if let window {
            members["window"] = .object([
                "id": .string(window.id), "from": .string(window.from.rfc3339Microseconds),
                "until": .string(window.until.rfc3339Microseconds), "asset": .string(window.asset),
                "file": .string(window.file), "correlation": .string(window.correlation),
            ])
        }
        return .object(members)
    }

    fileprivate init?(_ json: JSONValue) {
        guard case .string(let asset) = json["asset"], case .string(let file) = json["file"],
            case .bool(let isOver) = json["isOver"], case .bool(let isStored) = json["isStored"],
            case .bool(let isFiled) = json["isFiled"]
        else { return nil }
        self.init(asset: asset, file: file, isOver: isOver, isStored: isStored, isFiled: isFiled)
        if case .integer(let first) = json["first"] { self.first = first }
        if case .integer(let last) = json["last"] { self.last = last }
        if case .array(let paths) = json["told"] {
            told = paths.compactMap { if case .string(let path) = $0 { path } else { nil } }
        }
        guard let stored = json["window"] else { return }
        guard let window = RecordingWindow(stored) else { return nil }
        self.window = window
    }
}

extension RecordingWindow {
    fileprivate init?(_ json: JSONValue) {
        guard case .string(let id) = json["id"], case .string(let from) = json["from"],
            case .string(let until) = json["until"], case .string(let asset) = json["asset"],
            case .string(let file) = json["file"], case .string(let correlation) = json["correlation"],
            let from = WallTime(rfc3339: from), let until = WallTime(rfc3339: until)
        else { return nil }
        self.init(id: id, from: from, until: until, asset: asset, file: file, correlation: correlation)
    }
}
