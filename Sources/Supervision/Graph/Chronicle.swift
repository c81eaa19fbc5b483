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
    }

    /// One recording: of an activation, or of one window of a signal gate.
    package struct Entry: Hashable, Sendable {
        /// Nil of a continuous one.
        package var window: RecordingWindow?
        /// Empty when nothing goes there.
        package var asset: String
        /// Absolute path; empty when nothing goes there.
        package var file: String
        /// The first session of it, and the last.
        package var first: Int64?
        package var last: Int64?
        package var isOver = false
        package var isStored = false
        package var isFiled = false

        fileprivate var outputs: [Output] {
            (asset.isEmpty ? [] : [.asset(asset)]) + (file.isEmpty ? [] : [.file(file)])
        }

        fileprivate var isSettled: Bool { isOver && (asset.isEmpty || isStored) && (file.isEmpty || isFiled) }
    }

    /// In the order of their begin.
    package private(set) var recordings: [Entry] = []
    /// The signal gate's own state; null without one.
    package var gate = JSONValue.null

    /// More windows than a minute of overlapping signals can make, with a store that is away for a night.
    private static let limit = 512
    /// A worker closes a window when the frame after it came; without frames nobody does.
    package static let patience = TimeSpan.seconds(30)

    package init() {}

    /// The windows that a worker has still to hear of.
    package var openWindows: [RecordingWindow] { recordings.filter { !$0.isOver }.compactMap(\.window) }

    /// The asset of what is recorded all the time; nil without that.
    package var continuousAsset: String? { recordings.first { !$0.isOver && $0.window == nil }?.asset }

    /// A recording of all the time of which no session is known yet.
    package var waitsForSession: Bool {
        recordings.first { !$0.isOver }.map { $0.window == nil && $0.first == nil } ?? false
    }

    /// There is nothing that the next cvrd would have to know.
    package var isEmpty: Bool { recordings.isEmpty && gate == .null }

    /// Whether a file of what is over is still to be written.
    package var waitsForFile: Bool { recordings.contains { $0.isOver && !$0.file.isEmpty && !$0.isFiled } }

    // MARK: What happens

    /// An activation of an instance that records all the time.
    package mutating func begin(asset: String) { recordings.append(Entry(asset: asset, file: "")) }

    /// A signal gate opened, or stays open for longer.
    ///
    /// Returns the window as it is recorded: where to was settled when it opened.
    package mutating func take(_ window: RecordingWindow, file: String) -> RecordingWindow {
        if let index = recordings.firstIndex(where: { $0.window?.id == window.id }) {
            if !recordings[index].isOver { recordings[index].window?.until = window.until }
            return recordings[index].window ?? window
        }
        recordings.append(Entry(window: window, asset: window.asset, file: file))
        if recordings.count > Self.limit { recordings.removeFirst() }
        return window
    }

    /// The camera's worker began a session: the first recording that is not over is in it.
    package mutating func sessionStarted(_ session: Int64) -> [Happening] {
        guard let index = recordings.firstIndex(where: { !$0.isOver }) else { return [] }
        let isNew = recordings[index].first == nil
        recordings[index].first = recordings[index].first ?? session
        recordings[index].last = max(recordings[index].last ?? session, session)
        return isNew ? tell(recordings[index]) { .started($0, correlation: $1) } : []
    }

    package mutating func windowClosed(_ id: String, session: Int64?) -> [Happening] {
        guard let index = recordings.firstIndex(where: { $0.window?.id == id && !$0.isOver }) else { return [] }
        var happenings: [Happening] = []
        if let session, session > 0, recordings[index].first == nil {
            recordings[index].first = session
            happenings = tell(recordings[index]) { .started($0, correlation: $1) }
        }
        if let session, let last = recordings[index].last { recordings[index].last = max(last, session) }
        recordings[index].last = recordings[index].last ?? recordings[index].first
        return happenings + end(at: [index])
    }

    /// Nothing is recorded any more.
    package mutating func stopped() -> [Happening] { end(at: recordings.indices.filter { !recordings[$0].isOver }) }

    /// Time passed: windows whose end nobody told of.
    package mutating func pass(to now: WallTime) -> [Happening] {
        end(
            at: recordings.indices.filter { index in
                guard !recordings[index].isOver, let window = recordings[index].window else { return false }
                return window.until + Self.patience < now
            })
    }

    /// The newest session of which the store has a segment, and the newest whose file is complete.
    package mutating func reached(stored: Int64?, filed: Int64?) -> [Happening] {
        var happenings: [Happening] = []
        for index in recordings.indices {
            guard let first = recordings[index].first, let last = recordings[index].last else { continue }
            let correlation = recordings[index].window?.correlation
            if let stored, stored >= first, !recordings[index].asset.isEmpty, !recordings[index].isStored {
                recordings[index].isStored = true
                happenings.append(.available(.asset(recordings[index].asset), correlation: correlation))
            }
            if let filed, filed >= last, recordings[index].isOver, !recordings[index].file.isEmpty,
                !recordings[index].isFiled
            {
                recordings[index].isFiled = true
                happenings.append(.available(.file(recordings[index].file), correlation: correlation))
            }
        }
        recordings.removeAll(where: \.isSettled)
        return happenings
    }

    /// Those without a session recorded nothing, and nothing is told of them.
    private mutating func end(at indices: [Int]) -> [Happening] {
        var happenings: [Happening] = []
        for index in indices {
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
    private struct Unreadable: Error {}

    package var json: JSONValue {
        .object(["recordings": .array(recordings.map(\.json)), "gate": gate])
    }

    /// Throws for what no cvrd wrote.
    package init(stored json: JSONValue) throws {
        guard case .array(let list) = json["recordings"] else { throw Unreadable() }
        gate = json["gate"] ?? .null
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
