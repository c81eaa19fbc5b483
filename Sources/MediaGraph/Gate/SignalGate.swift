package import Recording

/// Which time an instance records because of the events that reach its signal gate.
///
/// An event on a closed gate begins an *activation*. For the evaluation window after its arrival one that happened
/// earlier may still arrive and move the beginning back; then the activation is settled, and its window comes out:
/// from its first event plus the offset (a negative one: before it), for the minimum after its newest event, and for
/// the maximum after its first at the longest. So one event records −offset + minimum, two that are dt apart
/// −offset + dt + minimum, and many −offset + maximum.
///
/// While the gate is open, an event that happened before the settled first one is *late*, and dropped. One that
/// arrives after the gate closed begins another activation, with another correlation id. Windows never overlap: where
/// the next would reach back into the one before, it begins where that ends, since no footage is recorded twice.
///
/// The window comes out as late as the evaluation window is long, so whoever records has to remember
/// `RecordingPlan.GateSettings.preRoll`. Times are of the wall clock; an event from after its own arrival is one of
/// that moment.
package struct SignalGate: Hashable, Sendable {
    package let settings: RecordingPlan.GateSettings
    var activation: Activation?
    /// The end of the activation before.
    var closed: WallTime = .earliest

    package init(_ settings: RecordingPlan.GateSettings) { self.settings = settings }

    /// An event happened at `eventTime` and arrived at `received`.
    ///
    /// `correlation` makes the id of an activation that it begins.
    package mutating func signal(at eventTime: WallTime, received: WallTime, correlation: () -> String) -> Heard {
        let (received, left) = steady(received)
        let before = left + pass(to: received)
        let eventTime = min(eventTime, received)
        guard let current = activation, current.takes(eventTime, received) else {
            let windows = before + begin(at: eventTime, received, correlation())
            return Heard(windows: windows, correlation: id(of: eventTime))
        }
        if eventTime < current.first {
            guard !current.isSettled, eventTime > closed else { return Heard(windows: before) }  // late
            if let apart = precede(at: eventTime, current, correlation) {
                return Heard(windows: before + apart.windows, correlation: apart.correlation)
            }
        }
        let windows = before + add(eventTime, to: current)
        return Heard(windows: windows, correlation: id(of: eventTime))
    }

    /// The windows that are settled by now.
    package mutating func pass(to now: WallTime) -> [SignalWindow] {
        guard let current = activation, !current.isSettled, now >= current.settles || current.isAhead(of: now) else {
            return []
        }
        return settle(current)
    }

    /// When `pass` has to be called next; nil when nothing is undecided.
    package var nextPass: WallTime? { activation.flatMap { $0.isSettled ? nil : $0.settles } }

    private func id(of eventTime: WallTime) -> String? {
        activation.flatMap { $0.first <= eventTime && eventTime <= $0.until ? $0.correlation : nil }
    }

    /// The clock, as this gate takes it.
    ///
    /// One that is slewed goes back a little, which changes nothing. One that was set back to before the activation
    /// leaves nothing behind that is yet to come: it would make every event a late one. What was not settled is, under
    /// the time that its events had. The footage that was promised stays so with whoever heard of it, and may be recorded
    /// again under its new time. One that was set back by less is not noticed: the gate stays open for that much longer.
    private mutating func steady(_ now: WallTime) -> (now: WallTime, left: [SignalWindow]) {
        guard let current = activation, now < current.first else { return (now, []) }
        guard current.isAhead(of: now) else { return (current.first, []) }
        let windows = current.isSettled ? [] : settle(current)
        (activation, closed) = (nil, .earliest)
        return (now, windows)
    }

    private mutating func begin(at eventTime: WallTime, _ received: WallTime, _ correlation: String) -> [SignalWindow] {
        let windows = activation.map { $0.isSettled ? [] : settle($0) } ?? []
        let end = max(closed, activation?.until ?? .earliest)
        let next = Activation(
            correlation: correlation, at: eventTime, settings, settles: received + settings.evaluationWindow)
        // Else it arrived so late that all of its time lies in what was recorded.
        guard next.until > end else { return windows }
        (activation, closed) = (next, end)
        return windows + pass(to: received)
    }

    /// An event that came second and happened before the first: nil when all are of one activation with it.
    ///
    /// Else the gate that it opened was shut again, by the minimum before the first came, or by the maximum before the
    /// newest: what came later begins an activation of its own, no later than it did.
    private mutating func precede(
        at eventTime: WallTime, _ current: Activation, _ correlation: () -> String
    ) -> Heard? {
        var earlier = Activation(correlation: "", at: eventTime, settings, settles: eventTime)
        if earlier.until >= current.first {
            let joined = current.adding(eventTime, settings)
            guard joined.until < current.newest else { return nil }
            earlier.until = joined.until
            activation?.first = joined.until
            activation?.until = min(current.newest + settings.minimum, joined.until + settings.maximum)
        }
        earlier.correlation = correlation()
        let heard = Heard(windows: windows(of: earlier), correlation: earlier.correlation)
        closed = max(closed, earlier.until)
        return heard
    }

    private mutating func add(_ eventTime: WallTime, to current: Activation) -> [SignalWindow] {
        let longer = current.adding(eventTime, settings)
        activation = longer
        return longer.isSettled && longer.until > current.until ? windows(of: longer) : []
    }

    private mutating func settle(_ current: Activation) -> [SignalWindow] {
        var settled = current
        settled.isSettled = true
        activation = settled
        return windows(of: settled)
    }

    /// None of an activation that ends before its offset has passed, as long as no other event lengthens it.
    private func windows(of activation: Activation) -> [SignalWindow] {
        let from = max(activation.first + settings.offset, closed)
        guard activation.until > from else { return [] }
        return [SignalWindow(correlation: activation.correlation, from: from, until: activation.until)]
    }
}

extension SignalGate {
    /// What became of an event.
    package struct Heard: Hashable, Sendable {
        /// Those that are new, or longer than before, in the order of their times.
        package var windows: [SignalWindow]
        /// The id of the activation that it is of; nil of a late one.
        package var correlation: String?
    }

    /// From the event that opened the gate to the moment that closes it.
    struct Activation: Hashable, Sendable {
        var correlation: String
        /// When the earliest of its events happened, and the latest.
        var first: WallTime
        var newest: WallTime
        var until: WallTime
        /// Until then an earlier event may still arrive.
        var settles: WallTime
        var isSettled = false

        /// Whether an event reaches the gate while it is open, or while it is not settled whether it was.
        func takes(_ eventTime: WallTime, _ received: WallTime) -> Bool {
            isSettled ? received <= until : eventTime <= until
        }

        /// The clock was set back to before it.
        func isAhead(of now: WallTime) -> Bool { first - now > .seconds(1) }

        func adding(_ eventTime: WallTime, _ settings: RecordingPlan.GateSettings) -> Activation {
            var next = self
            next.first = min(first, eventTime)
            next.newest = max(newest, eventTime)
            next.until = min(next.newest + settings.minimum, next.first + settings.maximum)
            return next
        }
    }
}

extension SignalGate.Activation {
    init(correlation: String, at eventTime: WallTime, _ settings: RecordingPlan.GateSettings, settles: WallTime) {
        self.init(
            correlation: correlation, first: eventTime, newest: eventTime,
            until: eventTime + min(settings.minimum, settings.maximum), settles: settles)
    }
}

/// A time to record, from the last keyframe at or before `from`; one that comes again has become longer.
package struct SignalWindow: Hashable, Sendable {
    /// The same for all events of one activation and no others; names the window too.
    package var correlation: String
    package var from: WallTime
    package var until: WallTime

    package init(correlation: String, from: WallTime, until: WallTime) {
        self.correlation = correlation
        self.from = from
        self.until = until
    }
}

extension RecordingPlan.GateSettings {
    /// How far back footage must be kept so that no window begins before it.
    ///
    /// With 2 s for an event's way here, as far as it says when it happened, and for the window's way to the worker.
    package var preRoll: TimeSpan { evaluationWindow + (offset < .zero ? offset.magnitude : .zero) + .seconds(2) }
}
