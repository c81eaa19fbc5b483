import Foundation
import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
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

/// A worker of a live camera on a thread of its own, with the locks that its process would hold.
final class LiveWorker {
    let toWorker: Supervisor
    private let ended = DispatchSemaphore(value: 0)
    private let outcome = Outcome()

    /// Crosses from the worker's thread; read only after `ended`.
    private final class Outcome: @unchecked Sendable {
        var code: Worker.ExitCode?
        var words = ""
        var error: (any Error)?
        var isTerminating = false
    }

    /// Everything in it belongs to the worker's thread once that runs, and is dropped when it ends.
    private final class Handover: @unchecked Sendable {
        var worker: Worker?
        var lock: SlotLock?
    }

    /// Records, or waits to succeed whoever does.
    init(_ station: LiveStation, in root: String, slot: Slot, isSuccessor: Bool = false) throws {
        let camera = try #require(CameraName("front"))
        let cache = try CacheDirectory(path: root + "/cache", camera: camera)
        let (handover, outcome, ended) = (Handover(), outcome, ended)
        handover.lock = try SlotLock(in: cache, slot: slot, build: "test", protocolVersion: 2)
        handover.worker = Worker(
            identity: WorkerIdentity(camera: camera, slot: slot, pid: 42, build: "test"), cache: cache,
            journal: isSuccessor ? nil : try Journal(in: cache, now: Clocks.system().wall()), bootChanged: false,
            clocks: .system(), socket: try ControlSocket(path: "\(root)/\(slot.rawValue).sock"),
            isTerminating: { outcome.isTerminating }, makeSource: { _ in LiveCamera(station) })
        Thread {
            do {
                outcome.code = try handover.worker?.run()
                outcome.words = handover.worker?.lastWords ?? ""
            } catch {
                outcome.error = error
            }
            (handover.worker, handover.lock) = (nil, nil)
            ended.signal()
        }.start()
        toWorker = try Supervisor("\(root)/\(slot.rawValue).sock")
        toWorker.send(.greet)
        toWorker.send(.configure(.test(segment: .seconds(2))))
    }

    func terminate() { outcome.isTerminating = true }

    /// How it ended, in its own words.
    func end() throws -> String {
        try #require(ended.wait(timeout: .now() + 20) == .success, "the worker did not end")
        if let error = outcome.error { throw error }
        #expect(outcome.code == .stopped)
        return outcome.words
    }
}

/// What two workers left in one cache.
struct LiveCache {
    let cache: CacheDirectory

    init(_ root: String) throws {
        cache = try CacheDirectory(path: root + "/cache", camera: #require(CameraName("front")))
    }

    var records: [JournalEvent] {
        get throws { try JournalReader.read(in: cache, from: 0).records.map(\.event) }
    }

    var segments: [SegmentReader] {
        get throws {
            try cache.listing().map { name, _ in
                let file = try cache.open(name)
                return try SegmentReader(length: try file.length()) { try file.read(at: $0, count: $1) }
            }
        }
    }

    /// Numbers of the frames on disk, by session and counter and then in their order.
    var frames: [Int] {
        get throws {
            try cache.listing().flatMap { name, bytes in
                let file = try cache.open(name)
                let text = String(decoding: try file.read(at: 0, count: Int(bytes)), as: Unicode.ASCII.self)
                return text.split(separator: "FRAME").dropFirst().compactMap { Int($0.prefix(8)) }
            }
        }
    }

    /// Those with a length, but for the one at the end.
    var gaps: [Gap] {
        get throws {
            var gaps: [Gap] = []
            for event in try records {
                switch event {
                case .gapOpen(let from, let reason, _):
                    gaps.append(Gap(from: from, to: nil, reason: reason, detail: ""))
                case .gapClose(let to): gaps[gaps.count - 1].to = to
                default: break
                }
            }
            return gaps.filter { $0.to != nil && $0.to != $0.from }
        }
    }
}
