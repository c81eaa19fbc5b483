import Foundation
import Ingest
import Messages
import Recording
import Testing

/// A clock that moves a little whenever somebody looks at it, so that a loop which waits for it makes progress.
final class RunningClock {
    private var now: Int64 = 5_000_000_000
    /// Larger while nothing else moves it.
    var step = TimeSpan(microseconds: 50)

    var clocks: Clocks {
        Clocks(
            monotonic: {
                self.now += self.step.microseconds
                return MonotonicTime(microseconds: self.now)
            },
            wall: { ManualClock.start + TimeSpan(microseconds: self.now) }, isSynchronised: { true })
    }

    func advance(_ span: TimeSpan) { now += span.microseconds }
}

/// The scripted engine: plays its connections one after another, and is silent after the last.
final class ScriptedCamera: PacketSource {
    /// What an attempt to connect leads to.
    enum Connection: Sendable {
        case refuses(SourceFailure)
        /// Delivers so many frames at 25 fps, then fails; nil: stays connected and sends nothing more.
        case plays(frames: Int, then: SourceFailure?)
        /// Delivers until it is told to end.
        case playsOn
        /// The same, but its time stands still for a while.
        indirect case held(Hold, Connection)
    }

    /// A moment at which a camera, and its worker's clock with it, waits for the test.
    final class Hold: Sendable {
        fileprivate let frame: Int
        private let isReached = DispatchSemaphore(value: 0)
        private let isOver = DispatchSemaphore(value: 0)

        init(afterFrame frame: Int) { self.frame = frame }

        /// Returns once the camera has come so far.
        func reached() throws {
            try #require(isReached.wait(timeout: .now() + 30) == .success, "the worker is held up")
        }

        func release() { isOver.signal() }

        fileprivate func pause() {
            isReached.signal()
            // A test that failed releases nobody.
            _ = isOver.wait(timeout: .now() + 10)
        }
    }

    final class Script {
        var connections: [Connection]
        private(set) var attempts: [CameraSettings] = []
        let clock: RunningClock

        init(_ connections: [Connection], clock: RunningClock) {
            self.connections = connections
            self.clock = clock
        }

        func source(_ settings: CameraSettings) -> any PacketSource {
            attempts.append(settings)
            return ScriptedCamera(connections.isEmpty ? .playsOn : connections.removeFirst(), clock)
        }
    }

    private let connection: Connection
    private let clock: RunningClock
    private var tick: () -> Bool = { false }
    private var hold: Hold?
    private var frame = 0

    init(_ connection: Connection, _ clock: RunningClock) {
        if case .held(let hold, let held) = connection {
            (self.hold, self.connection) = (hold, held)
        } else {
            self.connection = connection
        }
        self.clock = clock
    }

    func open(tick: @escaping () -> Bool) throws(SourceFailure) -> Announcement? {
        self.tick = tick
        clock.step = TimeSpan(microseconds: 50)
        clock.advance(.milliseconds(100))
        if tick() { return nil }
        if case .refuses(let failure) = connection { throw failure }
        return Announcement(
            streams: [StreamDescription(codec: .h264, clockRate: 90_000)], sessionDescription: "SDP:\nv=0\r\n")
    }

    func next() throws(SourceFailure) -> SourceEvent {
        clock.advance(.milliseconds(40))
        if tick() { return .interrupted }
        if let moment = hold, moment.frame == frame {
            hold = nil
            moment.pause()
        }
        if case .plays(let frames, let failure) = connection, frame >= frames {
            if let failure { throw failure }
            while !tick() { clock.advance(.milliseconds(40)) }
            return .interrupted
        }
        defer { frame += 1 }
        let units = Footage.plain.units
        return .packet(
            Packet(
                stream: 0, timestamp: Int64(frame) * 3600, isKey: Footage.plain.isKey(frame),
                data: units[frame % units.count]))
    }

    func close() { clock.step = .milliseconds(300) }
}
