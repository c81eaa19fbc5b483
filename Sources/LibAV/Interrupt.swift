internal import CLibAV
internal import Recording

/// The one place where a block inside libavformat ends, and where the worker's loop goes round meanwhile.
///
/// libavformat asks at least every 100 ms while it waits for a socket, and before each read.
final class Interrupt {
    enum Cause {
        case deadline, tick
    }

    private(set) var cause: Cause?
    private let now: () -> MonotonicTime
    private var tick: () -> Bool = { false }
    private var deadline: MonotonicTime
    private var nextTick: MonotonicTime

    init(now: @escaping () -> MonotonicTime) {
        self.now = now
        deadline = now()
        nextTick = deadline
    }

    func begin(limit: TimeSpan, tick: @escaping () -> Bool) {
        self.tick = tick
        cause = nil
        extend(limit: limit)
    }

    /// What ended a block stays: libavformat may go on after it once, but not for ever.
    func extend(limit: TimeSpan) { deadline = now() + limit }

    /// Holds no reference: the source owns both this and the context that calls it.
    var callback: AVIOInterruptCB {
        AVIOInterruptCB(
            callback: { opaque in
                guard let opaque else { return 0 }
                return Unmanaged<Interrupt>.fromOpaque(opaque).takeUnretainedValue().endsBlock() ? 1 : 0
            },
            opaque: Unmanaged.passUnretained(self).toOpaque())
    }

    /// A read costs several calls: the tick itself runs at most 20 times a second.
    private func endsBlock() -> Bool {
        guard cause == nil else { return true }
        let time = now()
        if time >= deadline {
            cause = .deadline
        } else if time >= nextTick {
            nextTick = time + .milliseconds(50)
            if tick() { cause = .tick }
        }
        return cause != nil
    }
}
