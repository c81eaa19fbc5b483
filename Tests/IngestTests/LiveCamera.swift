import Foundation
import Ingest
import Messages
import Recording
import Synchronization
import Testing

/// A camera in real time that several workers may watch: 25 numbered frames a second, a keyframe each second.
final class LiveStation: Sendable {
    enum Manners: Sendable {
        case allowsMany
        /// Refuses whoever comes second.
        case allowsOne
        case away
    }

    let start = Clocks.system().monotonic()
    private let state: Mutex<(manners: Manners, viewers: Int, attempts: Int)>

    init(_ manners: Manners = .allowsMany) { state = Mutex((manners, 0, 0)) }

    var attempts: Int { state.withLock { $0.attempts } }

    func become(_ manners: Manners) { state.withLock { $0.manners = manners } }

    func enter() throws(SourceFailure) {
        let isWelcome = state.withLock { state in
            state.attempts += 1
            let isWelcome: Bool? =
                switch state.manners {
                case .allowsMany: true
                case .allowsOne: state.viewers == 0
                case .away: nil
                }
            if isWelcome == true { state.viewers += 1 }
            return isWelcome
        }
        guard let isWelcome else { throw .timeout }
        guard isWelcome else { throw .refused }
    }

    func leave() { state.withLock { $0.viewers -= 1 } }

    var isAway: Bool { state.withLock { $0.manners == .away } }

    /// The n-th frame, its number in a filler NAL unit behind the picture.
    static func unit(_ number: Int) -> [UInt8] {
        let mark = Array(("FRAME" + String(repeating: "0", count: 8 - "\(number)".count) + "\(number)").utf8)
        return Footage.plain.units[number % Footage.plain.units.count] + [0, 0, 0, 1, 0x0C] + mark + [0x80]
    }
}

/// One worker's view of it.
final class LiveCamera: PacketSource {
    private let station: LiveStation
    private var tick: () -> Bool = { false }
    private var isIn = false
    private var number = 0

    init(_ station: LiveStation) { self.station = station }

    func open(tick: @escaping () -> Bool) throws(SourceFailure) -> Announcement? {
        self.tick = tick
        if tick() { return nil }
        try station.enter()
        isIn = true
        number = Int((Clocks.system().monotonic() - station.start).microseconds / 40_000)
        return Announcement(streams: [StreamDescription(codec: .h264, clockRate: 90_000)])
    }

    func next() throws(SourceFailure) -> SourceEvent {
        let due = station.start + .milliseconds(40) * Int64(number + 1)
        repeat {
            if tick() { return .interrupted }
            if station.isAway { throw .disconnected }
            poll(nil, 0, 4)
        } while Clocks.system().monotonic() < due
        defer { number += 1 }
        // Each connection counts its timestamps from its own beginning.
        return .packet(
            Packet(
                stream: 0, timestamp: Int64(number) * 3600, isKey: Footage.plain.isKey(number),
                data: LiveStation.unit(number)))
    }

    func close() {
        if isIn { station.leave() }
        isIn = false
    }
}

/// A worker of a live camera, and cvrd's end of its socket.
struct LiveWorker {
    let toWorker: WorkerClient
    private let thread: WorkerThread

    /// Records, or waits to succeed whoever does.
    init(
        _ station: LiveStation, in workspace: Workspace, slot: Slot, isSuccessor: Bool = false,
        _ settings: CameraSettings = .test(segment: .seconds(2)), windows: [RecordingWindow] = []
    ) throws {
        thread = try WorkerThread(in: workspace, slot: slot, isSuccessor: isSuccessor, clocks: .system()) { _ in
            LiveCamera(station)
        }
        toWorker = try thread.connect()
        toWorker.send(.configure(settings))
        for window in windows { toWorker.send(.window(window)) }
    }

    var contents: CacheContents { thread.contents }

    func terminate() { thread.terminate() }

    /// How it ended, in its own words.
    func end() throws -> String {
        let end = try thread.end()
        #expect(end.code == .stopped)
        return end.why
    }
}
